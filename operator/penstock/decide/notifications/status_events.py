"""The events that a status holds until they are settled: those of a Pipeline, and those of a Trigger."""

from typing import NamedTuple

import msgspec

from penstock.decide.decision import Event, Write
from penstock.decide.notifications import messages
from penstock.decide.notifications.deliveries import Letter, Posted, PostOffice, failure, post
from penstock.decide.notifications.outbox import EventRecords, addressed, is_settled, with_events
from penstock.decide.observed.senders import Senders


class PostedEvents(NamedTuple):
    """What comes of the events of a status: those that stay, what is to be written and said, and when to look again."""

    kept: EventRecords
    said: tuple[Event, ...]
    posted: Posted

    @property
    def writes(self) -> tuple[Write, ...]:
        """What is to be written."""
        return self.posted.writes


def is_all_told(there: EventRecords, happened: EventRecords, senders: Senders) -> bool:
    """Return whether nothing is to be told, and nothing is left of what was."""
    return not (happened or senders.jobs) and all(map(is_settled, there))


def post_events(office: PostOffice, there: EventRecords, happened: EventRecords) -> PostedEvents:
    """Return what comes of the events of a status; those that happen in this pass are told from the next one on."""
    posted = post(office, [Letter((each,), each.deliveries) for each in there])
    events = tuple(msgspec.structs.replace(each.events[0], deliveries=each.deliveries) for each in posted.letters)
    kept, dropped = with_events(events, addressed(happened, office.receivers))
    said = [
        failure(event, each, messages.too_many_events())
        for event in dropped
        for each in event.deliveries
        if each.state == "Pending"
    ]
    return PostedEvents(kept, (*posted.said, *said), posted)
