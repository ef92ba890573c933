"""Whether an event is one that a Trigger waits for, by its type, source and subject."""

from penstock.api.trigger_sources import EventSource
from penstock.decide.events.received import ReceivedEvent


def is_wanted(source: EventSource, received: ReceivedEvent) -> bool:
    """Return whether the event matches all that the Trigger says of its events."""
    event = received.event
    return (
        (not source.types or event.type in source.types)
        and _fits(source.source, event.source)
        and _fits(source.subject, received.attributes.get("subject"))
    )


def _fits(pattern: str | None, text: str | None) -> bool:
    if pattern is None:
        return True
    if text is None:
        return False
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
