"""What is told of a Pipeline: that a Model was selected, is served, or was sent back before it was served."""

from collections.abc import Callable, Iterator

from penstock.api.notifications import EventName, NotifiedEvent
from penstock.api.pipeline import PipelineStatus
from penstock.decide import reasons
from penstock.decide.notifications import messages
from penstock.decide.notifications.event_source import source_of
from penstock.decide.notifications.outbox import event_id
from penstock.decide.objects.children import Owner
from penstock.decide.serving import PINNED_BY
from penstock_jobs.contract.notification import OutboundData, OutboundEvent

Proposer = Callable[[str], tuple[str | None, str]]
"""Gives the run that proposed a Model, and the verdict by which it did."""


def events_of_pipeline(
    uid: str, before: PipelineStatus, after: PipelineStatus, proposer: Proposer, now: str
) -> tuple[NotifiedEvent, ...]:
    """Return what happens when a status that was as before comes to be as after."""
    return tuple(_events(uid, before, after, proposer, now))


def _events(
    uid: str, before: PipelineStatus, after: PipelineStatus, proposer: Proposer, now: str
) -> Iterator[NotifiedEvent]:
    def event(name: EventName, model: str, run: str | None, reason: str | None) -> NotifiedEvent:
        identity = event_id(uid, name, model, now)
        return NotifiedEvent(id=identity, event=name, time=now, model=model, run=run, reason=reason)

    served = before.served_model.name if before.served_model else None
    selected, chosen = before.selected_model, after.selected_model
    if selected not in (None, served, chosen):
        # That of a run which was cancelled is withdrawn; else its servers did not become ready.
        yield event("ModelSentBack", selected or "", proposer(selected or "")[0], _why_sent_back(after))
    if chosen is not None and chosen not in (selected, served):
        yield event("ModelSelected", chosen, *proposer(chosen))
    now_served = after.served_model
    if now_served is not None and now_served.name != served:
        run = None if now_served.selected_by == PINNED_BY else now_served.selected_by
        yield event("ModelServed", now_served.name, run, now_served.reason)


def _why_sent_back(after: PipelineStatus) -> str:
    failed = any(each.type == "Ready" and each.reason == reasons.ROLLOUT_FAILED for each in after.conditions)
    return reasons.ROLLOUT_FAILED if failed else reasons.CANCELLED


def describe_event_of_pipeline(owner: Owner, event: NotifiedEvent) -> OutboundEvent:
    """Return what the receivers of an event of a Pipeline are told."""
    return OutboundEvent(
        id=event.id,
        event=event.event,
        source=source_of(owner.namespace, owner.pipeline),
        subject=event.model or owner.pipeline,
        time=event.time,
        sentence=messages.model_event(event.event, event.model or "", owner.pipeline, event.run, event.reason),
        data=OutboundData(
            namespace=owner.namespace, pipeline=owner.pipeline, run=event.run, model=event.model, reason=event.reason
        ),
    )
