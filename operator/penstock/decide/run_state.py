"""The state of a run: its steps, and its conditions `Succeeded`, `Reconciling`, `Stalled`.

A run is finished when `Succeeded` is True or False. `Reconciling` is there while it is live, `Stalled` when it failed:
these two are what kstatus, and with it GitOps tools, understand.
"""

from typing import Final, Literal

import msgspec

from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRun, PipelineRunStatus, Step, StepState
from penstock.api.schema import JOBS, JobName
from penstock.decide.conditions import find, make_condition, with_kstatus
from penstock.decide.messages import all_succeeded
from penstock.decide.reasons import SERVED_MODEL_KEPT, SUCCEEDED
from penstock_jobs.contract.errors import Refused

_CONDITIONS = ("Succeeded", "Reconciling", "Stalled")  # others are a newer version's, or somebody's
SUCCEEDED_STATES: Final = ("Succeeded", "Reused")
"""The states of a step that has a result."""
DONE: Final = (*SUCCEEDED_STATES, "Skipped")
"""The states of a step that has nothing left to do, in a run that goes on."""
# Whose results each job needs.
NEEDS: dict[JobName, tuple[JobName, ...]] = {"training": ("dataset",), "testing": ("dataset", "training")}


def jobs_in_spec(spec: PipelineSpec) -> tuple[JobName, ...]:
    """Return the jobs that the Pipeline describes, in their order: what a run does when nobody says which."""
    described = {
        "dataset": spec.dataset is not None,
        "training": spec.training is not None,
        "testing": spec.training is not None or spec.testing is not None,
        "deployment": spec.deployment is not None,
    }
    return tuple(job for job in JOBS if described[job])


def select_jobs(spec: PipelineSpec, asked: tuple[JobName, ...]) -> tuple[JobName, ...]:
    """Return the jobs of a run, in their order, or refuse one that the Pipeline does not describe."""
    described = jobs_in_spec(spec)
    for job in asked:
        if job not in described:
            raise Refused(
                f"The run asks for the job {job}, and the Pipeline has no spec.{job}; add it or leave the job out."
            )
    return tuple(job for job in described if not asked or job in asked)


def pending_steps(jobs: tuple[JobName, ...]) -> tuple[Step, ...]:
    """Return the steps of a run that has not begun."""
    return tuple(Step(name=job, state="Pending") for job in jobs)


def is_finished(run: PipelineRun) -> bool:
    """Return whether the run has ended, well or not."""
    succeeded = find(status_of(run).conditions, "Succeeded")
    return succeeded is not None and succeeded.status != "Unknown"


def status_of(run: PipelineRun) -> PipelineRunStatus:
    """Return the status of the run, empty where it has none yet."""
    return run.status or PipelineRunStatus()


def step_of(run: PipelineRun, job: str) -> Step | None:
    """Return the step of that name, or None where the run has none."""
    return next((step for step in status_of(run).steps if step.name == job), None)


def with_step(run: PipelineRun, job: JobName, state: StepState, **changes: object) -> PipelineRun:
    """Return the run with that step changed."""
    status = status_of(run)
    steps = tuple(
        msgspec.structs.replace(step, state=state, **changes) if step.name == job else step for step in status.steps
    )
    return msgspec.structs.replace(run, status=msgspec.structs.replace(status, steps=steps))


def with_outcome(
    run: PipelineRun, succeeded: Literal["True", "False", "Unknown"], reason: str, message: str, now: str
) -> PipelineRun:
    """Return the run with this `Succeeded`, and what follows from it for the other conditions and times."""
    status = status_of(run)
    generation = run.metadata.generation
    new = make_condition("Succeeded", succeeded, reason, message, now=now, generation=generation)
    conditions = with_kstatus(status.conditions, new, stalled=succeeded == "False")
    ended = None if succeeded == "Unknown" else now
    changed = msgspec.structs.replace(
        status, conditions=conditions, completion_time=ended, observed_generation=generation
    )
    return msgspec.structs.replace(run, status=changed)


def mark_succeeded(run: PipelineRun, now: str) -> PipelineRun:
    """Return the run once all its jobs have succeeded: with what was decided, where something was."""
    step = step_of(run, "deployment")
    decided = step.deployment if step else None
    if decided is None:
        return with_outcome(run, "True", SUCCEEDED, all_succeeded(), now)
    kept = decided.challenger is not None and decided.served != decided.challenger
    return with_outcome(run, "True", SERVED_MODEL_KEPT if kept else SUCCEEDED, decided.message or "", now)


def with_observed_generation(run: PipelineRun) -> PipelineRun:
    """Return a run that has ended, in which a later change of its spec is said to be seen: nothing comes of it."""
    status, generation = status_of(run), run.metadata.generation
    conditions = tuple(
        msgspec.structs.replace(each, observed_generation=generation) if each.type in _CONDITIONS else each
        for each in status.conditions
    )
    changed = msgspec.structs.replace(status, conditions=conditions, observed_generation=generation)
    return msgspec.structs.replace(run, status=changed)
