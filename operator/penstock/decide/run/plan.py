"""The parts of a run: which Jobs its steps come to, and which results each of them needs."""

from dataclasses import dataclass
from typing import Final, Literal

from penstock.api.schema import JobName
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.revision import Snapshot
from penstock.decide.run_state import NEEDS

PartName = Literal["source", "dataset", "training", "testing", "testing-again"]
"""A Job of a run. It is no `JobName`: that is a step, which `spec.jobs` of a Pipeline has fields for."""

SOURCE: Final = "source"
AGAIN: Final = "testing-again"


@dataclass(frozen=True)
class Planned:
    """A Job of the run, the step that it belongs to, and the parts whose results it needs."""

    name: PartName
    step: JobName
    needs: tuple[str, ...] = ()
    workers: int = 1


def plan(snapshot: Snapshot, jobs: tuple[JobName, ...]) -> tuple[Planned, ...]:
    """Return the parts of a run that does these jobs, in their order; the deployment step has none of its own."""
    own = SOURCE if snapshot.pipeline.spec.source is not None else None
    users = [job for job in jobs if job in ("training", "testing")]
    parts = [Planned(SOURCE, users[0])] if own and users else []
    for job in jobs:
        if job != "deployment":
            fetched = (SOURCE,) if own and job in users else ()
            parts.append(Planned(job, job, (*NEEDS.get(job, ()), *fetched), _workers(snapshot, job)))
    return tuple(parts)


def again(snapshot: Snapshot) -> Planned:
    """Return the part that tests Models once more, beside the one that is served by now."""
    fetched = (SOURCE,) if snapshot.pipeline.spec.source is not None else ()
    return Planned(AGAIN, "deployment", (*NEEDS["testing"], *fetched))


def job_with_fields(part: PartName) -> JobName | None:
    """Return the job whose fields in `spec.jobs` say how much memory and time this part has; None where none does."""
    if part == SOURCE:
        return None
    return "testing" if part == AGAIN else part


def lacking(jobs: tuple[JobName, ...]) -> tuple[tuple[JobName, JobName], ...]:
    """Return the results that these jobs need and do not make, each with the first job that needs it."""
    found: dict[JobName, JobName] = {}
    for job in jobs:
        for needed in NEEDS.get(job, ()):
            if needed not in jobs:
                found.setdefault(needed, job)
    return tuple((job, needed) for needed, job in found.items())


def _workers(snapshot: Snapshot, job: JobName) -> int:
    pods = settings_of(snapshot.pipeline.spec, job).parallelism or 1
    dataset = snapshot.pipeline.spec.dataset
    if job == "dataset" and dataset is not None:
        return pods if len(dataset.inputs) == 1 and dataset.query is None else 1
    return pods if job == "training" else 1
