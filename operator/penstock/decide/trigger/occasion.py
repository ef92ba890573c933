"""What a Trigger fires for: a moment, or an event. Each is one occasion, which has one run at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from penstock.api.run import TriggeringEvent
from penstock.decide.times import read_time, write_time

# Types of the events that Penstock itself knows, named as CloudEvents name theirs.
BY_HAND = "dev.penstock.trigger.by-hand"
BACKFILL = "dev.penstock.trigger.backfill"
RUN_ENDED = "dev.penstock.run.ended"
FILES_ARRIVED = "dev.penstock.files.arrived"
PIPELINE_CHANGED = "dev.penstock.pipeline.changed"
MODEL_WORSE = "dev.penstock.model.worse"
MOMENT = "dev.penstock.moment"  # only in expressions: a run of a moment has no event


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A moment or an event for which a Trigger may start a run.

    Attributes:
        time: the moment, or when the event was: the `scheduledTime` of the run.
        event: the event; None for a moment of the schedule.
        data: what the event says, as JSON; only expressions see it.
        attributes: more of the event's attributes, by name; only expressions see them.
    """

    time: datetime
    event: TriggeringEvent | None = None
    data: Any = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What makes it this one and no other: the moment, or source and id of the event."""
        # A backfill is of a moment, which has one run, whoever asks for it.
        if self.event is None or self.event.type == BACKFILL:
            return f"at/{write_time(self.time)}"
        return f"on/{self.event.id}/{self.event.source or ''}"

    def variables(self) -> dict[str, Any]:
        """Return what expressions see of it: `event` and `scheduledTime`."""
        seen = {"id": self.identity, "type": MOMENT, "time": self.time, "data": self.data}
        if self.event is not None:
            known = {"id": self.event.id, "source": self.event.source, "type": self.event.type}
            seen |= {**self.attributes, **{name: value for name, value in known.items() if value is not None}}
        return {"event": seen, "scheduledTime": self.time}


def at_moment(moment: datetime) -> Occasion:
    """Return the occasion that a moment of the schedule is; moments are told apart to the second."""
    return Occasion(time=moment.replace(microsecond=0))


def on_event(
    event: TriggeringEvent, received: datetime, data: Any = None, attributes: Mapping[str, str] | None = None
) -> Occasion:
    """Return the occasion that an event is; one that does not say when it was, was when it was received."""
    time = received if event.time is None else read_time(event.time)
    return Occasion(time=time.replace(microsecond=0), event=event, data=data, attributes=attributes or {})


def by_hand(person: str, asked: datetime, identity: str) -> Occasion:
    """Return the occasion that a person is who asks for a run now; `identity` is new for each time of asking."""
    event = TriggeringEvent(id=identity, source=person, type=BY_HAND, time=write_time(asked))
    return Occasion(time=asked.replace(microsecond=0), event=event)


def backfill(person: str, asked: datetime, moment: datetime) -> Occasion:
    """Return the occasion that a moment of the past is for which a person asks for its run."""
    event = TriggeringEvent(id=write_time(moment), source=person, type=BACKFILL, time=write_time(asked))
    return Occasion(time=moment.replace(microsecond=0), event=event)


def model_of(event: Mapping[str, Any]) -> str | None:
    """Return the Model that had become worse, of an event in a run; None of another event."""
    return str(event.get("id")).partition("/")[2] if event.get("type") == MODEL_WORSE else None


def is_by_hand(event: TriggeringEvent | None) -> bool:
    """Return whether a person asked for the run."""
    return event is not None and event.type in (BY_HAND, BACKFILL)
