"""The events of a status: how one comes into it, and which go where there are more than it has room for."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from penstock.api.notifications import Delivery, EventName, NotifiedEvent
from penstock.decide.notifications.receivers import Receiver

MOST = 8  # events in the status of a Pipeline
EventRecords = tuple[NotifiedEvent, ...]


def event_id(uid: str, event: EventName, *what: str) -> str:
    """Return the id of an event: a function of what it happened to, and of what tells it from others of its name."""
    return hashlib.sha256("/".join((uid, event, *what)).encode()).hexdigest()[:20]


def addressed(events: Iterable[NotifiedEvent], receivers: Mapping[str, Receiver]) -> EventRecords:
    """Return the events with those whom they are for; without those that are for nobody."""
    made = []
    for event in events:
        wanting = [name for name, receiver in receivers.items() if receiver.wants(event.event)]
        if wanting:
            deliveries = tuple(Delivery(name=name, state="Pending") for name in wanting)
            made.append(msgspec.structs.replace(event, deliveries=deliveries))
    return tuple(made)


def is_settled(event: NotifiedEvent) -> bool:
    """Return whether nothing is to be done for the event any more."""
    return all(each.state != "Pending" for each in event.deliveries)


def with_events(there: EventRecords, new: EventRecords) -> tuple[EventRecords, EventRecords]:
    """Return the events of a status, the newest first, and those for which there is no room any more.

    Settled ones go first, the oldest of them before the others.
    """
    known = {each.id for each in there}
    all_of_them = [*(each for each in reversed(new) if each.id not in known), *there]
    surplus = len(all_of_them) - MOST
    if surplus <= 0:
        return tuple(all_of_them), ()
    by_age = all_of_them[::-1]
    settled, pending = filter(is_settled, by_age), (each for each in by_age if not is_settled(each))
    gone = {each.id for each in [*settled, *pending][:surplus]}
    kept = tuple(each for each in all_of_them if each.id not in gone)
    return kept, tuple(each for each in all_of_them if each.id in gone and not is_settled(each))
