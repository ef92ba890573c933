"""What a Trigger's reconcile has come to so far: the status as it should be, and what is to be written."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import msgspec

from penstock.api.trigger import Firing, Trigger, TriggerCounts, TriggerStatus
from penstock.decide.conditions import ConditionStatus, find, make_condition, shorten, with_kstatus
from penstock.decide.decision import ApiObject, Decision, Event, Write
from penstock.decide.times import write_time
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.occasion import Occasion

MOST_HISTORY = 20
_LONGEST_MESSAGE = 512
_LONGEST_ID = 256
Outcome = Literal["Fired", "Skipped", "Missed"]


@dataclass(frozen=True)
class TriggerDraft:
    """A reconcile in the middle."""

    trigger: Trigger
    now: str
    writes: tuple[Write, ...] = ()
    requeue_time: datetime | None = None
    events: tuple[Event, ...] = ()

    @property
    def current(self) -> TriggerStatus:
        """The status so far."""
        return self.trigger.status or TriggerStatus()

    def with_writes(self, *writes: Write) -> "TriggerDraft":
        """Return the draft with these writes after the others."""
        return replace(self, writes=(*self.writes, *writes))

    def requeue_at(self, moment: datetime | None) -> "TriggerDraft":
        """Return the draft that is requeued at that moment, or before."""
        moments = [each for each in (self.requeue_time, moment) if each is not None]
        return replace(self, requeue_time=min(moments, default=None))

    def status(self, **changes: object) -> "TriggerDraft":
        """Return the draft with these fields of the status changed."""
        status = msgspec.structs.replace(self.current, **changes)
        return replace(self, trigger=msgspec.structs.replace(self.trigger, status=status))

    def record(self, *firings: Firing) -> "TriggerDraft":
        """Return the draft in which these, in their order, are counted and come into the history."""
        if not firings:
            return self
        draft = self
        for firing in firings:
            draft = draft.count(firing.outcome, 1)
        history = (*reversed(firings), *self.current.history)[:MOST_HISTORY]
        runs = [each.run for each in firings if each.outcome == "Fired" and each.run is not None]
        return draft.status(history=history, last_run=runs[-1] if runs else self.current.last_run)

    def count(self, outcome: Outcome, number: int) -> "TriggerDraft":
        """Return the draft in which so many more had this outcome."""
        counts, name = self.current.counts or TriggerCounts(), outcome.lower()
        return self.status(counts=msgspec.structs.replace(counts, **{name: getattr(counts, name) + number}))

    def ready(self, ready: ConditionStatus, reason: str, message: str, *, stalled: bool = False) -> "TriggerDraft":
        """Return the draft with this `Ready`, and what kstatus makes of it."""
        generation = self.trigger.metadata.generation
        new = make_condition("Ready", ready, reason, message, now=self.now, generation=generation)
        conditions = with_kstatus(self.current.conditions, new, stalled=stalled)
        return self.status(conditions=conditions, observed_generation=generation)


def firing(occasion: Occasion, outcome: Outcome, reason: str, message: str, run: str | None = None) -> Firing:
    """Return what the history says of an occasion."""
    event = None if occasion.event is None else occasion.event.id[:_LONGEST_ID]
    return firing_at(write_time(occasion.time), outcome, reason, message, event=event, run=run)


def firing_of(run: ApiObject, outcome: Outcome, reason: str, message: str) -> Firing:
    """Return what the history says of a run that is there."""
    event = (own_runs.event_of(run) or {}).get("id")
    return firing_at(
        own_runs.scheduled_time(run) or str(run["metadata"].get("creationTimestamp")),
        outcome,
        reason,
        message,
        event=None if event is None else str(event)[:_LONGEST_ID],
        run=str(run["metadata"]["name"]),
    )


def firing_at(
    time: str, outcome: Outcome, reason: str, message: str, *, event: str | None = None, run: str | None = None
) -> Firing:
    """Return what the history says of what was then."""
    return Firing(
        time=time,
        outcome=outcome,
        event=event,
        run=run,
        reason=reason,
        message=shorten(message, _LONGEST_MESSAGE),
    )


def to_decision(before: Trigger, draft: TriggerDraft, now: datetime) -> Decision:
    """Return the decision that a draft comes to."""
    changed = draft.trigger.status != before.status
    again = None if draft.requeue_time is None else max((draft.requeue_time - now).total_seconds(), 0.0)
    old, new = (find((each.status or TriggerStatus()).conditions, "Ready") for each in (before, draft.trigger))
    events = draft.events
    if new is not None and (old is None or (old.status, old.reason) != (new.status, new.reason)):
        events = (Event("Normal" if new.status == "True" else "Warning", new.reason, new.message), *events)
    return Decision(draft.writes, draft.trigger.status if changed else None, events, again)
