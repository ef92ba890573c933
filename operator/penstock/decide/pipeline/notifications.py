"""Who is told what becomes of the Models of a Pipeline. Nothing of the Pipeline waits for it."""

from dataclasses import replace

from penstock.api.pipeline import PipelineStatus
from penstock.decide.decision import Refusal
from penstock.decide.notifications.deliveries import PostOffice
from penstock.decide.notifications.of_pipeline import describe_event_of_pipeline, events_of_pipeline
from penstock.decide.notifications.receivers import receivers_of
from penstock.decide.notifications.status_events import is_all_told, post_events
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.pipeline.proposals import proposer_of


def is_of_notification(refusal: Refusal) -> bool:
    """Return whether a write that was refused is of a notification: a Pipeline makes no other Job."""
    return refusal.kind == "Job"


def with_notifications(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which events are told; those that happen in this very pass from the next one on."""
    there, after = facts.status.notifications, draft.pipeline.status or PipelineStatus()
    happened = events_of_pipeline(
        facts.owner.uid, facts.status, after, lambda model: proposer_of(facts, model), facts.time
    )
    senders, refused = facts.observation.senders, facts.observation.refused
    if is_all_told(there, happened, senders):
        return draft
    office = PostOffice(
        owner=facts.owner,
        receivers=receivers_of(facts.pipeline.spec, facts.observation.settings),
        senders=senders,
        settings=facts.observation.settings,
        describe=lambda event: describe_event_of_pipeline(facts.owner, event),
        now=facts.now,
        refused=refused if refused is not None and is_of_notification(refused) else None,
    )
    found = post_events(office, there, happened)
    draft, again = draft.status(notifications=found.kept).with_writes(*found.writes), found.posted.requeue_time
    if again is not None:
        draft = draft.requeue_at(min(again, draft.requeue_time or again))
    return replace(draft, events=(*draft.events, *found.said))
