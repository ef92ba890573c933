"""How a run begins, or is taken up again.

The rule: the same command, while a run of it is unfinished, takes that run up where it was, under the same uid. It is
the same command when the Pipeline, the run's spec and the name asked for are equal to what the run took. A finished run
is never taken up: the next gets an index (`test_2`). Nor is a run that another process is working on. An unfinished one
whose manifest has changed since is ended as `Superseded`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun, PipelineRunSpec, PipelineRunStatus
from penstock.api.schema import API_VERSION, JobName
from penstock.decide.execution_name import first_free
from penstock.decide.names import run_name
from penstock.decide.overriding import taken
from penstock.decide.reasons import SUPERSEDED, missing_result, no_job
from penstock.decide.run_state import (
    NEEDS,
    is_finished,
    pending,
    status_of,
    step_of,
    wanted_jobs,
    with_outcome,
)
from penstock.decide.serving import is_same_but_for_pin, with_manifest
from penstock.local import snapshot
from penstock.local.home import write_atomically
from penstock.local.locks import held, held_if_free, is_free
from penstock.local.places import MANIFEST
from penstock.local.resources import Resources
from penstock_jobs import document
from penstock_jobs.errors import Refused
from penstock_jobs.specification import Location
from penstock_jobs.storage import open_store

DEFAULT_NAME = "run"


@dataclass(frozen=True)
class Begun:
    """A run that is ready to go on, the Pipeline as it took it, and whether it had begun before."""

    run: PipelineRun
    revision: Pipeline
    taken_up: bool


def apply_pipeline(resources: Resources, manifest: Pipeline, folder: str) -> Pipeline:
    """Make the Pipeline of the home as the manifest says; without a Model in it, a pin of `penstock deploy` stays."""

    def annotated(pipeline: Pipeline, earlier: dict[str, str]) -> Pipeline:
        annotations = earlier | pipeline.metadata.annotations | {MANIFEST: folder}
        return msgspec.structs.replace(
            pipeline, metadata=msgspec.structs.replace(pipeline.metadata, annotations=annotations)
        )

    def merged(there: Pipeline, new: Pipeline) -> Pipeline:
        metadata = msgspec.structs.replace(
            there.metadata,
            labels=new.metadata.labels,
            annotations=annotated(new, there.metadata.annotations).metadata.annotations,
        )
        return with_manifest(msgspec.structs.replace(there, metadata=metadata), new.spec)

    return resources.apply(annotated(manifest, {}), merged)


@contextmanager
def begun(resources: Resources, pipeline: Pipeline, spec: PipelineRunSpec) -> Iterator[Begun]:
    """Yield the run to go on with, an unfinished one of the same command or a new one, and hold it for this process."""
    name = pipeline.metadata.name or ""
    pipeline = taken(pipeline, spec.overrides)
    jobs = wanted_jobs(pipeline.spec, tuple(request.name for request in spec.jobs))
    if not jobs:
        raise Refused(no_job(name))
    with ExitStack() as stack:
        with held(resources.home.lock(f"pipeline-{name}")):
            # Held from before others can see the run: nobody may find it unfinished and free in between.
            found = _found(resources, pipeline, spec, stack) or _created(resources, pipeline, spec, jobs, stack)
        yield found


def _found(resources: Resources, pipeline: Pipeline, spec: PipelineRunSpec, stack: ExitStack) -> Begun | None:
    """Return the unfinished run of the same command; end those of its name whose manifest has changed since."""
    same = None
    for run in runs_of(resources, pipeline.metadata.name or ""):
        if is_finished(run) or _wish(run) != (spec.execution_name or DEFAULT_NAME):
            continue
        with ExitStack() as tried:
            if tried.enter_context(held_if_free(runner_lock(resources, run))) is None:
                continue
            revision = read_revision(resources, run)
            if same is None and is_same_but_for_pin(revision.spec, pipeline.spec) and run.spec == spec:
                same = Begun(run, revision, taken_up=True)
                stack.push(tried.pop_all())
            else:
                _supersede(resources, run)
    return same


def _created(
    resources: Resources, pipeline: Pipeline, spec: PipelineRunSpec, jobs: tuple[JobName, ...], stack: ExitStack
) -> Begun:
    runs = runs_of(resources, pipeline.metadata.name or "")
    _refuse_missing_steps(resources, runs, jobs)
    revision = msgspec.structs.replace(pipeline, status=None)
    run = _new(resources, runs, pipeline, spec, jobs)
    stack.enter_context(held(runner_lock(resources, run)))
    write_atomically(_revision_path(resources, run), document.encode(revision))
    return Begun(resources.create(run), revision, taken_up=False)


def claim_name(resources: Resources, begin: Begun, where: Callable[[str], Location]) -> PipelineRun:
    """Return the run once its execution name is its own in the storage too, which its snapshot there says.

    Put if absent, so that two homes that share a storage cannot take one name for two runs. `where` tells the storage
    of a run from its execution name.
    """
    run = begin.run
    taken = _names(runs_of(resources, run.spec.pipeline_ref.name))
    while True:
        execution = status_of(run).execution_name or ""
        if snapshot.claim(open_store(where(execution)), begin.revision, run):
            return run
        taken.add(execution)
        run = resources.change(PipelineRun, run.metadata.name or "", partial(_renamed, taken=frozenset(taken)))


def runs_of(resources: Resources, pipeline: str) -> list[PipelineRun]:
    """Return the runs of a Pipeline, oldest first."""
    return [run for run in resources.list(PipelineRun) if run.spec.pipeline_ref.name == pipeline]


def latest_result(resources: Resources, runs: list[PipelineRun], job: JobName) -> Path | None:
    """Return the result of the last of these runs whose job of that name succeeded."""
    steps = [(step, run) for run in runs if (step := step_of(run, job)) is not None]
    done = [(step.completion_time or "", run) for step, run in steps if step.state == "Succeeded"]
    if not done:
        return None
    return resources.home.result(max(done, key=lambda each: each[0])[1].metadata.uid or "", job)


def read_revision(resources: Resources, run: PipelineRun) -> Pipeline:
    """Return the Pipeline as the run took it."""
    return document.read(_revision_path(resources, run), Pipeline)


def runner_lock(resources: Resources, run: PipelineRun) -> Path:
    """Return the lock that whoever works on the run holds."""
    return resources.home.lock(f"run-{run.metadata.uid}")


def is_at_work(resources: Resources, run: PipelineRun) -> bool:
    """Return whether a process is working on the run now."""
    return not is_finished(run) and not is_free(runner_lock(resources, run))


def _new(
    resources: Resources, runs: list[PipelineRun], pipeline: Pipeline, spec: PipelineRunSpec, jobs: tuple[JobName, ...]
) -> PipelineRun:
    name = pipeline.metadata.name or ""
    execution, index = first_free(spec.execution_name or DEFAULT_NAME, _names(runs))
    status = PipelineRunStatus(
        execution_name=execution, run_index=index, pipeline_uid=pipeline.metadata.uid, steps=pending(jobs)
    )
    run = resources.born(
        PipelineRun(
            api_version=API_VERSION,
            kind="PipelineRun",
            metadata=ObjectMeta(
                name=run_name(name, execution, resources.names(PipelineRun)), labels={"penstock.dev/pipeline": name}
            ),
            spec=spec,
            status=status,
        )
    )
    return with_outcome(run, "Unknown", "Pending", "Not begun yet.", resources.now())


def _renamed(run: PipelineRun, taken: frozenset[str]) -> PipelineRun:
    execution, index = first_free(_wish(run), taken)
    status = msgspec.structs.replace(status_of(run), execution_name=execution, run_index=index)
    return msgspec.structs.replace(run, status=status)


def _supersede(resources: Resources, run: PipelineRun) -> None:
    message = "It was interrupted, and another run of its name was begun with a manifest that has changed since."
    resources.change(
        PipelineRun,
        run.metadata.name or "",
        lambda before: with_outcome(before, "False", SUPERSEDED, message, resources.now()),
    )


def _refuse_missing_steps(resources: Resources, runs: list[PipelineRun], jobs: tuple[JobName, ...]) -> None:
    """Refuse a run that lacks a job whose result it needs and no earlier run has."""
    for job in jobs:
        for needed in NEEDS.get(job, ()):
            if needed not in jobs and latest_result(resources, runs, needed) is None:
                raise Refused(missing_result(job, needed))


def _revision_path(resources: Resources, run: PipelineRun) -> Path:
    return resources.home.run(run.metadata.uid or "") / "pipeline.json"


def _names(runs: list[PipelineRun]) -> set[str]:
    return {status_of(run).execution_name or "" for run in runs}


def _wish(run: PipelineRun) -> str:
    return run.spec.execution_name or DEFAULT_NAME
