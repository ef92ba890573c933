"""What is told of a run: how it ended, and that the gate kept its Model from being served."""

from collections.abc import Iterator

from penstock.api.notifications import EventName, NotifiedEvent
from penstock.api.run import DeploymentSummary, PipelineRun
from penstock.decide import reasons
from penstock.decide.conditions import find
from penstock.decide.notifications import messages
from penstock.decide.notifications.event_source import source_of
from penstock.decide.notifications.outbox import event_id
from penstock.decide.objects.children import Owner
from penstock.decide.run_state import is_finished, status_of, step_of
from penstock_jobs.contract.notification import OutboundData, OutboundEvent


def events_of_run(run: PipelineRun) -> tuple[NotifiedEvent, ...]:
    """Return what happened when a run ended: always the same of one, since nothing changes of it after its end."""
    return tuple(_events_of_end(run)) if is_finished(run) else ()


def _events_of_end(run: PipelineRun) -> Iterator[NotifiedEvent]:
    uid, time = run.metadata.uid or "", status_of(run).completion_time or ""
    succeeded = find(status_of(run).conditions, "Succeeded")
    reason = succeeded.reason if succeeded is not None else None
    event: EventName = "RunSucceeded" if succeeded is not None and succeeded.status == "True" else "RunFailed"
    if reason == reasons.CANCELLED:
        event = "RunCancelled"
    yield NotifiedEvent(id=event_id(uid, event), event=event, time=time, reason=reason)
    decided = _decision(run)
    if event == "RunSucceeded" and decided and decided.challenger and decided.challenger != decided.served:
        yield NotifiedEvent(
            id=event_id(uid, "ModelRefused"),
            event="ModelRefused",
            time=time,
            model=decided.challenger,
            reason=decided.verdict,
        )


def describe_event_of_run(owner: Owner, run: PipelineRun, event: NotifiedEvent) -> OutboundEvent:
    """Return what the receivers of an event of a run are told."""
    failed = next((each.name for each in status_of(run).steps if each.state == "Failed"), None)
    decided = _decision(run)
    # The other sentences of a run can be a job's, which may quote a row.
    message = decided.message if decided and event.event in ("RunSucceeded", "ModelRefused") else None
    sentence = {
        "RunSucceeded": messages.run_succeeded_event(owner.name, owner.pipeline, message),
        "RunFailed": messages.run_failed_event(owner.name, owner.pipeline, failed, event.reason or reasons.FAILED),
        "RunCancelled": messages.run_cancelled_event(owner.name, owner.pipeline),
    }.get(event.event)
    return OutboundEvent(
        id=event.id,
        event=event.event,
        source=source_of(owner.namespace, owner.pipeline),
        subject=owner.name,
        time=event.time,
        sentence=sentence
        or messages.model_event(event.event, event.model or "", owner.pipeline, owner.name, message or event.reason),
        data=OutboundData(
            namespace=owner.namespace,
            pipeline=owner.pipeline,
            run=owner.name,
            model=event.model or (decided.served if decided and event.event == "RunSucceeded" else None),
            reason=event.reason,
            step=failed,
            verdict=decided.verdict if decided else None,
            message=message,
        ),
    )


def _decision(run: PipelineRun) -> DeploymentSummary | None:
    step = step_of(run, "deployment")
    return step.deployment if step else None
