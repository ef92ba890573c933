"""A run that nobody works on any more, though it has not ended: stopped by a person, or given up for another one."""

from penstock.api.run import PipelineRun
from penstock.decide import messages, reasons
from penstock.decide.run.draft import RunDraft
from penstock.decide.run_state import status_of

_BEGUN = ("Waiting", "Running")


def interrupted(run: PipelineRun, why: str, now: str) -> PipelineRun:
    """Return the run that goes on when somebody takes it up: what it was at is to be done again."""
    draft = RunDraft(run)
    for step in status_of(run).steps:
        if step.state in _BEGUN:
            draft = draft.step(step.name, "Pending", reasons.INTERRUPTED, why)
    return draft.outcome("Unknown", reasons.INTERRUPTED, why, now).run


def superseded(run: PipelineRun, now: str) -> PipelineRun:
    """Return the run as it has ended where it was interrupted, and another one was begun in its place."""
    draft = RunDraft(run)
    for step in status_of(run).steps:
        if step.state in ("Pending", *_BEGUN):
            draft = draft.step(step.name, "Cancelled", reasons.SUPERSEDED)
    return draft.outcome("False", reasons.SUPERSEDED, messages.superseded(), now).run
