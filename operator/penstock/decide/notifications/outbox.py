"""The events of a status: how one comes into it, and which go where there are more than it has room for."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from penstock.api.notifications import MOST_EVENTS, Delivery, EventName, NotifiedEvent
from penstock.decide.notifications.receivers import Receiver

EventRecords = tuple[NotifiedEvent, ...]


def event_id(uid: str, event: EventName, *what: str) -> str:
    """Return the id of an event: a function of what it happened to, and of what tells it from others of its name."""
    return hashlib.sha256("/".join((uid, event, *what)).encode()).hexdigest()[:20]


def deliveries_of(events: EventRecords, receivers: Mapping[str, Receiver]) -> tuple[Delivery, ...]:
    """Return the deliveries that these events begin with: one for each who is to be told any of them."""
    wanting = (name for name, receiver in receivers.items() if any(receiver.wants(each.event) for each in events))
    return tuple(Delivery(name=name, state="Pending") for name in wanting)


def addressed(events: Iterable[NotifiedEvent], receivers: Mapping[str, Receiver]) -> EventRecords:
    """Return the events with those whom they are for; without those that are for nobody."""
    made = (msgspec.structs.replace(each, deliveries=deliveries_of((each,), receivers)) for each in events)
    return tuple(each for each in made if each.deliveries)


def is_settled(event: NotifiedEvent) -> bool:
    """Return whether nothing is to be done for the event any more."""
    return all(each.state != "Pending" for each in event.deliveries)


def with_events(there: EventRecords, new: EventRecords) -> tuple[EventRecords, EventRecords]:
    """Return the events of a status, the newest first; and those that are not settled and have no room any more.

    Settled ones go first, the oldest of them before the others.
    """
    known = {each.id for each in there}
    all_of_them = [*(each for each in reversed(new) if each.id not in known), *there]
    surplus = max(0, len(all_of_them) - MOST_EVENTS)
    by_age = all_of_them[::-1]
    settled, pending = filter(is_settled, by_age), (each for each in by_age if not is_settled(each))
    gone = {each.id for each in [*settled, *pending][:surplus]}
    kept = tuple(each for each in all_of_them if each.id not in gone)
    return kept, tuple(each for each in all_of_them if each.id in gone and not is_settled(each))
