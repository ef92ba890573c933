"""A draft as a decision: its status, and an Event of Kubernetes for each condition that has changed."""

from datetime import datetime

from penstock.api.run import PipelineRun
from penstock.decide import reasons
from penstock.decide.conditions import find
from penstock.decide.decision import Decision, Event
from penstock.decide.run.draft import RunDraft
from penstock.decide.run_state import status_of

_CALM = (reasons.RUNNING, reasons.PROPOSED, reasons.ROLLING_OUT, reasons.SUSPENDED, reasons.EARLIER_RUN, reasons.QUEUED)


def to_decision(before: PipelineRun, draft: RunDraft, now: datetime) -> Decision:
    """Return the decision that a draft comes to."""
    changed = status_of(draft.run) != status_of(before)
    again = None if draft.requeue_time is None else max(0.0, (draft.requeue_time - now).total_seconds())
    return Decision(
        writes=draft.writes,
        status=draft.run.status if changed else None,
        events=_events(before, draft.run) if changed else (),
        requeue_after=again,
    )


def _events(before: PipelineRun, after: PipelineRun) -> tuple[Event, ...]:
    old, new = (find(status_of(run).conditions, "Succeeded") for run in (before, after))
    if new is None or (old is not None and (old.status, old.reason) == (new.status, new.reason)):
        return ()
    calm = new.status == "True" or (new.status == "Unknown" and new.reason in _CALM)
    return (Event("Normal" if calm else "Warning", new.reason, new.message),)
