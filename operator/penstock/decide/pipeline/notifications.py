"""Who is told what becomes of the Models of a Pipeline. Nothing of the Pipeline waits for it."""

from dataclasses import replace

from penstock.api.pipeline import PipelineStatus
from penstock.decide.decision import Refusal
from penstock.decide.notifications.deliveries import Outbox, post
from penstock.decide.notifications.of_pipeline import describe_event_of_pipeline, events_of_pipeline
from penstock.decide.notifications.receivers import receivers_of
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.pipeline.proposals import proposer_of


def is_of_notification(refusal: Refusal | None) -> bool:
    """Return whether a write that was refused is of a notification: a Pipeline makes no other Job."""
    return refusal is not None and refusal.kind == "Job"


def with_notifications(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which events are told; those that happen in this very pass from the next one on."""
    there, after, uid = facts.status.notifications, draft.pipeline.status or PipelineStatus(), facts.owner.uid
    happened = events_of_pipeline(uid, facts.status, after, lambda model: proposer_of(facts, model), facts.time)
    if not (there or happened or facts.observation.senders.jobs):
        return draft
    refused = facts.observation.refused
    outbox = Outbox(
        owner=facts.owner,
        events=there,
        receivers=receivers_of(facts.pipeline.spec, facts.observation.settings),
        senders=facts.observation.senders,
        settings=facts.observation.settings,
        describe=lambda event: describe_event_of_pipeline(facts.owner, event),
        now=facts.now,
        refused=refused if is_of_notification(refused) else None,
    )
    posted = post(outbox, happened)
    draft = draft.status(notifications=posted.events).with_writes(*posted.writes)
    if posted.requeue_time is not None:
        draft = draft.requeue_at(min(posted.requeue_time, draft.requeue_time or posted.requeue_time))
    return replace(draft, events=(*draft.events, *posted.said))
