"""How the events of a status reach whom they are for: a Job each, which should exist while its delivery is pending."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from penstock.api.notifications import Delivery, NotifiedEvent
from penstock.decide import reasons
from penstock.decide.conditions import shorten
from penstock.decide.decision import ApiObject, Create, Event, Refusal, Write
from penstock.decide.notifications.outbox import EventRecords, addressed, with_events
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


@dataclass(frozen=True)
class Outbox:
    """The events that are in the status of a run or Pipeline, and what is known of those who tell them.

    `describe` says of one what its receivers are told. `refused` is the Job that the API server has just refused.
    """

    owner: Owner
    events: EventRecords
    receivers: Mapping[str, Receiver]
    senders: Senders
    settings: Settings
    describe: Callable[[NotifiedEvent], OutboundEvent]
    now: datetime
    refused: Refusal | None = None


@dataclass(frozen=True)
class Posted:
    """What comes of an outbox: its events as they are now, what is to be written and said, when to look again."""

    events: EventRecords
    writes: tuple[Write, ...] = ()
    said: tuple[Event, ...] = ()
    requeue_time: datetime | None = None


class _Progress(NamedTuple):
    delivery: Delivery
    writes: Sequence[Write] = ()
    why: str | None = None


def post(outbox: Outbox, happened: Sequence[NotifiedEvent] = ()) -> Posted:
    """Return what is to be done for the events that are in the status, and take in those that happen in this pass."""
    advanced, writes, said = [], list(_orphans(outbox)), []
    for event in outbox.events:
        found = [_advance(outbox, event, each) for each in event.deliveries]
        advanced.append(msgspec.structs.replace(event, deliveries=tuple(each.delivery for each in found)))
        writes += [write for each in found for write in each.writes]
        said += [_failure(event, each.delivery, each.why) for each in found if each.why is not None]
    kept, dropped = with_events(tuple(advanced), addressed(happened, outbox.receivers))
    for event in dropped:
        pending = (each for each in event.deliveries if each.state == "Pending")
        said += [_failure(event, each, reasons.too_many_events()) for each in pending]
    return Posted(kept, tuple(writes), tuple(said), _requeue_time(outbox, kept))


def _advance(outbox: Outbox, event: NotifiedEvent, delivery: Delivery) -> _Progress:
    name = notification_job_name(outbox.owner, delivery.name, event.id)
    job = next((each for each in outbox.senders.jobs if job_views.name(each) == name), None)
    if job is not None and job_views.is_going(job):
        return _Progress(delivery)
    if delivery.state != "Pending":
        return _Progress(delivery, () if job is None else (job_views.deletion(job),))
    if job is not None and job_views.is_complete(job):
        return _Progress(msgspec.structs.replace(delivery, state="Delivered"))
    if job is not None and job_views.is_failed(job):
        reason, why = _failure_of(job, outbox.senders)
        return _failed(delivery, reason, why)
    if outbox.now >= read_time(event.time) + GIVE_UP:
        said = None if outbox.refused is None else outbox.refused.message
        return _failed(delivery, reasons.GIVEN_UP, reasons.not_told_in_time(said))
    return _Progress(delivery) if job is not None else _create(outbox, event, delivery)


def _create(outbox: Outbox, event: NotifiedEvent, delivery: Delivery) -> _Progress:
    receiver = outbox.receivers.get(delivery.name)
    if receiver is None:
        return _failed(delivery, reasons.NOTIFICATION_REMOVED, reasons.no_such_notification())
    job = NotificationJob(
        owner=outbox.owner,
        event=outbox.describe(event),
        notification=receiver.notification,
        image=outbox.settings.images.jobs,
        settings=receiver.settings,
        general=outbox.settings.pods,
    )
    return _Progress(delivery, (Create(notification_job(job)),))


def _failed(delivery: Delivery, reason: str, why: str) -> _Progress:
    return _Progress(msgspec.structs.replace(delivery, state="Failed", reason=reason), why=why)


def _failure_of(job: ApiObject, senders: Senders) -> tuple[str, str]:
    """Return why a Job could not tell its event: in the words of its last pod, where that is there."""
    ends = [end for pod in senders.pods if belongs_to(pod, job_views.uid(job)) and (end := exit_of(pod)) and end.code]
    last = max(ends, key=lambda end: end.finished or "", default=None)
    if last is None or not last.message:
        return reasons.UNAVAILABLE, reasons.job_failed(*job_views.failure_of(job))
    return reasons.REFUSED if last.code == errors.REFUSED else reasons.UNAVAILABLE, last.message


def _failure(event: NotifiedEvent, delivery: Delivery, why: str) -> Event:
    message = shorten(reasons.notification_failed(event.event, delivery.name, why))
    return Event("Warning", reasons.NOTIFICATION_FAILED, message)


def _orphans(outbox: Outbox) -> Sequence[Write]:
    """Return the deletions of Jobs that are over and of no event that is in the status."""
    known = {
        notification_job_name(outbox.owner, delivery.name, event.id)
        for event in outbox.events
        for delivery in event.deliveries
    }
    return [
        job_views.deletion(job)
        for job in outbox.senders.jobs
        if job_views.name(job) not in known and job_views.is_over(job) and not job_views.is_going(job)
    ]


def _requeue_time(outbox: Outbox, events: EventRecords) -> datetime | None:
    pending = [read_time(each.time) for each in events if any(one.state == "Pending" for one in each.deliveries)]
    if not pending:
        return None
    return outbox.now + AGAIN if outbox.refused is not None else min(pending) + GIVE_UP
