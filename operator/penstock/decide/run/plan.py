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
RETEST: Final = "testing-again"


@dataclass(frozen=True)
class PlannedPart:
    """A Job of the run, the step that it belongs to, and the parts whose results it needs."""

    name: PartName
    step: JobName
    needs: tuple[str, ...] = ()
    workers: int = 1


def plan(snapshot: Snapshot, jobs: tuple[JobName, ...]) -> tuple[PlannedPart, ...]:
    """Return the parts of a run that does these jobs, in their order; the deployment step has none of its own."""
    own = SOURCE if snapshot.pipeline.spec.source is not None else None
    users = [job for job in jobs if job in ("training", "testing")]
    parts = [PlannedPart(SOURCE, users[0])] if own and users else []
    for job in jobs:
        if job != "deployment":
            fetched = (SOURCE,) if own and job in users else ()
            parts.append(PlannedPart(job, job, (*NEEDS.get(job, ()), *fetched), _workers(snapshot, job)))
    return tuple(parts)


def retest_part(snapshot: Snapshot) -> PlannedPart:
    """Return the part that tests Models once more, beside the one that is served by now."""
    fetched = (SOURCE,) if snapshot.pipeline.spec.source is not None else ()
    return PlannedPart(RETEST, "deployment", (*NEEDS["testing"], *fetched))


def job_with_fields(part: PartName) -> JobName | None:
    """Return the job whose fields in `spec.jobs` say how much memory and time this part has; None where none does."""
    if part == SOURCE:
        return None
    return "testing" if part == RETEST else part


def missing_results(jobs: tuple[JobName, ...]) -> tuple[tuple[JobName, JobName], ...]:
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
