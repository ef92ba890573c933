"""What has happened to a run between two looks at it, in the words of whoever tells its progress."""

from dataclasses import dataclass
from typing import Literal

from penstock.api.run import PipelineRun, Step
from penstock.decide import reasons
from penstock.decide.conditions import find
from penstock.decide.remarks import remarks_in_words
from penstock.decide.run_state import SUCCEEDED_STATES, is_finished, status_of, step_of

# What passes within seconds, and need not be told.
_PASSING = (reasons.RUNNING, reasons.STARTING)
_BEGUN = ("Running", "Succeeded", "Failed")
_ENDED = ("Succeeded", "Failed", "Reused", "Skipped", "Cancelled")


@dataclass(frozen=True)
class ProgressUpdate:
    """A step that started or ended, or a remark about the run."""

    kind: Literal["started", "ended", "said"]
    text: str
    step: str = ""


def progress_updates(before: PipelineRun | None, after: PipelineRun) -> list[ProgressUpdate]:
    """Return what is to be told, in the order in which it happened."""
    told: list[ProgressUpdate] = []
    for step in status_of(after).steps:
        earlier = None if before is None else step_of(before, step.name)
        told += _of_step(earlier, step)
    waits = _waiting(after)
    if waits and (before is None or waits != _waiting(before)):
        told.append(ProgressUpdate("said", waits))
    return told


def summary_of(step: Step) -> str:
    """Return in a few words how a step ended."""
    if step.message:
        return step.message if step.state in SUCCEEDED_STATES else f"{step.state}: {step.message}"
    if step.state != "Succeeded":
        return step.state
    if step.dataset:
        return f"{', '.join(f'{table.rows:,} {table.name}' for table in step.dataset.tables)} points"
    if step.training:
        failed = f", {step.training.failed:,} failed" if step.training.failed else ""
        kept = _count_phrase(len(step.training.models), "Model")
        return f"{_count_phrase(step.training.total, 'candidate')}{failed}, {kept} kept"
    if step.testing:
        return f"{_count_phrase(len(step.testing.models), 'Model')} on {_count_phrase(step.testing.points, 'point')}"
    if step.deployment:
        return step.deployment.message or step.deployment.verdict or "decided"
    return "done"


def _of_step(before: Step | None, after: Step) -> list[ProgressUpdate]:
    state = None if before is None else before.state
    if state == after.state:
        return []
    told = []
    if state not in _BEGUN and after.state in _BEGUN:
        told.append(ProgressUpdate("started", "", after.name))
    if state not in _ENDED and after.state in _ENDED:
        told.append(ProgressUpdate("ended", summary_of(after), after.name))
    if state not in _ENDED and after.state == "Succeeded" and after.dataset:
        told += [ProgressUpdate("said", line) for line in remarks_in_words(after.dataset)]
    return told


def _waiting(run: PipelineRun) -> str | None:
    condition = find(status_of(run).conditions, "Succeeded")
    if condition is None or is_finished(run) or condition.reason in _PASSING:
        return None
    return condition.message


def _count_phrase(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
