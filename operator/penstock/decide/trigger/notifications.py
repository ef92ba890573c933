"""Who is told that a Trigger has stopped. Nothing of the Trigger waits for it."""

from dataclasses import replace

from penstock.api.notifications import NotifiedEvent
from penstock.decide import reasons
from penstock.decide.conditions import find
from penstock.decide.decision import Refusal
from penstock.decide.notifications.deliveries import PostOffice
from penstock.decide.notifications.of_trigger import describe_event_of_trigger, event_of_stop
from penstock.decide.notifications.receivers import receivers_of
from penstock.decide.notifications.status_events import is_all_told, post_events
from penstock.decide.trigger.arrivals import next_look
from penstock.decide.trigger.begin import has_begun
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.failures import failed_in_a_row
from penstock.decide.trigger.make_run import owner_of

_STOPS = (reasons.FAILURE_LIMIT, reasons.LOOP, reasons.SCHEDULED_TIME_UNUSED, reasons.INVALID)


def is_of_notification(facts: TriggerFacts, refusal: Refusal | None) -> bool:
    """Return whether a write that was refused is of a notification: the one other Job of a Trigger is its next look."""
    return refusal is not None and refusal.kind == "Job" and refusal.name != next_look(facts).job_name


def with_notifications(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which it is told that the Trigger stops, where it does so now, from the next pass on."""
    there, senders, refused = facts.status.notifications, facts.observation.senders, facts.observation.refused
    happened = _stops(facts, draft)
    if is_all_told(there, happened, senders):
        return draft
    owner, settings = owner_of(facts.trigger), facts.observation.settings
    office = PostOffice(
        owner=owner,
        receivers=receivers_of(None if facts.pipeline is None else facts.pipeline.spec, settings),
        senders=senders,
        settings=settings,
        describe=lambda event: describe_event_of_trigger(owner, event),
        now=facts.now,
        refused=refused if is_of_notification(facts, refused) else None,
    )
    found = post_events(office, there, happened)
    draft = draft.status(notifications=found.kept).with_writes(*found.writes)
    return replace(draft.requeue_at(found.posted.requeue_time), events=(*draft.events, *found.said))


def _stops(facts: TriggerFacts, draft: TriggerDraft) -> tuple[NotifiedEvent, ...]:
    """Return the event that the Trigger stops, where it fired before: one that never began has its condition to say so.

    That holds too where the status was lost: the stop was told when it happened.
    """
    before, after = (find(each.conditions, "Ready") for each in (facts.status, draft.current))
    if not has_begun(facts) or before is None or after is None or before.reason == after.reason:
        return ()
    if after.status == "True" or after.reason not in _STOPS or before.reason in _STOPS:
        return ()
    limit, run = facts.spec.failure_limit, None
    if after.reason == reasons.FAILURE_LIMIT and limit is not None:
        run = failed_in_a_row(facts)[-limit]
    uid = facts.trigger.metadata.uid or ""
    return (event_of_stop(uid, facts.generation, after.reason, run, facts.time),)
