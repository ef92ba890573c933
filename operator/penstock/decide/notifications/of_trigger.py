"""What is told of a Trigger: that it has stopped, and starts no run until somebody does something about it."""

from penstock.api.notifications import NotifiedEvent
from penstock.decide.notifications import messages
from penstock.decide.notifications.event_source import source_of
from penstock.decide.notifications.outbox import event_id
from penstock.decide.objects.children import Owner
from penstock_jobs.contract.notification import OutboundData, OutboundEvent


def event_of_stop(uid: str, generation: int | None, reason: str, run: str | None, now: str) -> NotifiedEvent:
    """Return the event that a Trigger has stopped.

    Args:
        uid: the Trigger's.
        generation: that of its spec.
        reason: why, in one word.
        run: the run that was one failure too many, where there is one: there is one stop for it, whenever it is seen.
        now: when it stopped.
    """
    identity = event_id(uid, "TriggerStopped", str(generation), reason, run or now)
    return NotifiedEvent(id=identity, event="TriggerStopped", time=now, run=run, reason=reason)


def describe_event_of_trigger(owner: Owner, event: NotifiedEvent) -> OutboundEvent:
    """Return what the receivers of an event of a Trigger are told."""
    return OutboundEvent(
        id=event.id,
        event=event.event,
        source=source_of(owner.namespace, owner.pipeline),
        subject=owner.name,
        time=event.time,
        sentence=messages.trigger_stopped_event(owner.name, owner.pipeline, event.reason or "", event.run),
        data=OutboundData(
            namespace=owner.namespace,
            pipeline=owner.pipeline,
            trigger=owner.name,
            run=event.run,
            reason=event.reason,
        ),
    )
