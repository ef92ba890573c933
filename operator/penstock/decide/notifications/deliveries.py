"""How events reach whom they are for: by a Job each, which should exist while its delivery is pending."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from penstock.api.notifications import Delivery, DeliveryState, NotifiedEvent
from penstock.decide import messages, reasons
from penstock.decide.conditions import shorten
from penstock.decide.decision import ApiObject, Create, Event, Refusal, Write
from penstock.decide.notifications import messages as notifications_messages
from penstock.decide.notifications.receivers import Receiver
from penstock.decide.objects.children import Owner
from penstock.decide.objects.notification import NotificationJob, notification_job, notification_job_name
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed.pods import belongs_to, exit_of
from penstock.decide.observed.senders import Senders
from penstock.decide.settings import Settings
from penstock.decide.times import read_time
from penstock_jobs.contract import errors
from penstock_jobs.contract.notification import OutboundEvent

GIVE_UP = timedelta(hours=24)  # after what happened, whatever it is that keeps it from being told
AGAIN = timedelta(seconds=30)  # after which a Job that the API server refused is made again


class Letter(NamedTuple):
    """What happened in one moment, and what has become of it for each who is told any of it."""

    events: tuple[NotifiedEvent, ...]
    deliveries: tuple[Delivery, ...]

    @property
    def until(self) -> datetime:
        """Until when it is worth telling."""
        return read_time(self.events[0].time) + GIVE_UP


@dataclass(frozen=True)
class PostOffice:
    """Whom a run or Pipeline tells what happens, and what is known of the Jobs that tell it.

    `describe` says of an event what its receivers are told. `refused` is the Job that the API server has just refused.
    """

    owner: Owner
    receivers: Mapping[str, Receiver]
    senders: Senders
    settings: Settings
    describe: Callable[[NotifiedEvent], OutboundEvent]
    now: datetime
    refused: Refusal | None = None

    def job_of(self, event: NotifiedEvent, delivery: Delivery) -> ApiObject | None:
        """Return the Job that tells this event to this one, where it is there."""
        name = self.name_of(event, delivery)
        return next((each for each in self.senders.jobs if job_views.name(each) == name), None)

    def name_of(self, event: NotifiedEvent, delivery: Delivery) -> str:
        """Return the name of that Job."""
        return notification_job_name(self.owner, delivery.name, event.id)


@dataclass(frozen=True)
class Posted:
    """What comes of letters: their deliveries, what is to be written and said, and when to look again."""

    letters: tuple[Letter, ...]
    writes: tuple[Write, ...] = ()
    said: tuple[Event, ...] = ()
    requeue_time: datetime | None = None


class _Progress(NamedTuple):
    delivery: Delivery
    writes: Sequence[Write] = ()
    said: Sequence[Event] = ()


def post(office: PostOffice, letters: Sequence[Letter]) -> Posted:
    """Return what is to be done for the letters that are in the status."""
    after: list[Letter] = []
    writes, said = list(_orphans(office, letters)), list[Event]()
    for letter in letters:
        found = [_advance(office, letter, each) for each in letter.deliveries]
        after.append(letter._replace(deliveries=tuple(each.delivery for each in found)))
        writes += [write for each in found for write in each.writes]
        said += [event for each in found for event in each.said]
    open_ones = [each.until for each in after if any(one.state == "Pending" for one in each.deliveries)]
    again = min(open_ones, default=None)
    if again is not None and office.refused is not None:
        again = office.now + AGAIN
    return Posted(tuple(after), tuple(writes), tuple(said), again)


def failure(event: NotifiedEvent, delivery: Delivery, why: str) -> Event:
    """Return what Kubernetes is told of an event that did not reach somebody."""
    message = shorten(notifications_messages.notification_failed(event.event, delivery.name, why))
    return Event("Warning", reasons.NOTIFICATION_FAILED, message)


def _advance(office: PostOffice, letter: Letter, delivery: Delivery) -> _Progress:
    """Return how far one delivery of a letter is: its Jobs stay until all of them are over, and the status says so."""
    if delivery.state != "Pending":
        there = (office.job_of(event, delivery) for event in letter.events)
        gone = [job_views.deletion(job) for job in there if job is not None and not job_views.is_going(job)]
        return _Progress(delivery, gone)
    receiver = office.receivers.get(delivery.name)
    wanted = [each for each in letter.events if receiver is not None and receiver.wants(each.event)]
    if receiver is None or not wanted:
        return _unsent(letter.events, delivery, "Removed", notifications_messages.no_such_notification())
    jobs = [(event, office.job_of(event, delivery)) for event in wanted]
    if all(job is not None and job_views.is_over(job) and not job_views.is_going(job) for _, job in jobs):
        return _conclude(office, delivery, [(event, job) for event, job in jobs if job is not None])
    if office.now >= letter.until:
        why = notifications_messages.not_told_in_time(None if office.refused is None else office.refused.message)
        return _unsent(wanted, delivery, "GivenUp", why)
    return _Progress(delivery, [_creation(office, receiver, event) for event, job in jobs if job is None])


def _creation(office: PostOffice, receiver: Receiver, event: NotifiedEvent) -> Create:
    job = NotificationJob(
        owner=office.owner,
        event=office.describe(event),
        notification=receiver.notification,
        image=office.settings.images.jobs,
        settings=receiver.settings,
        general=office.settings.pods,
    )
    return Create(notification_job(job))


def _conclude(office: PostOffice, delivery: Delivery, jobs: Sequence[tuple[NotifiedEvent, ApiObject]]) -> _Progress:
    state: DeliveryState = "Delivered"
    said = []
    for event, job in jobs:
        if job_views.is_failed(job):
            state, why = _failure_of(job, office.senders)
            said.append(failure(event, delivery, why))
    return _Progress(msgspec.structs.replace(delivery, state=state), said=said)


def _unsent(events: Sequence[NotifiedEvent], delivery: Delivery, state: DeliveryState, why: str) -> _Progress:
    after = msgspec.structs.replace(delivery, state=state)
    return _Progress(after, said=[failure(event, delivery, why) for event in events])


def _failure_of(job: ApiObject, senders: Senders) -> tuple[DeliveryState, str]:
    """Return why a Job could not tell its event: in the words of its last pod, where that is there."""
    ends = [end for pod in senders.pods if belongs_to(pod, job_views.uid(job)) and (end := exit_of(pod)) and end.code]
    last = max(ends, key=lambda end: end.finished or "", default=None)
    if last is None or not last.message:
        return "Unavailable", messages.job_failed(*job_views.failure_of(job))
    return "Refused" if last.code == errors.REFUSED else "Unavailable", last.message


def _orphans(office: PostOffice, letters: Sequence[Letter]) -> Iterator[Write]:
    """Yield the deletions of Jobs that are over and of nothing that is in the status."""
    known = {office.name_of(event, each) for events, deliveries in letters for event in events for each in deliveries}
    for job in office.senders.jobs:
        if job_views.name(job) not in known and job_views.is_over(job) and not job_views.is_going(job):
            yield job_views.deletion(job)
