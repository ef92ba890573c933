"""Who is told how a run ended. Nothing of the run waits for it."""

from contextlib import suppress
from dataclasses import replace

from penstock.api.pipeline import PipelineSpec
from penstock.decide.notifications.deliveries import Letter, PostOffice, post
from penstock.decide.notifications.of_run import describe_event_of_run, events_of_run
from penstock.decide.notifications.outbox import deliveries_of
from penstock.decide.notifications.receivers import receivers_of
from penstock.decide.run.begun_before import earlier_run
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run_state import is_finished, status_of
from penstock_jobs.contract.errors import Refused


def with_notifications(facts: RunFacts, draft: RunDraft) -> RunDraft:
    """Return the draft in which the events of the run's end are told; of one that ends only now, from the next pass."""
    if not is_finished(facts.run):
        if not is_finished(draft.run) or earlier_run(draft) is not None:
            return draft  # of what ended before it came back as another object, everybody was told then
        receivers = receivers_of(_spec(facts), facts.observation.settings)
        return draft.status(notifications=deliveries_of(events_of_run(draft.run), receivers))
    deliveries, senders = status_of(facts.run).notifications, facts.observation.senders
    if not senders.jobs and all(each.state != "Pending" for each in deliveries):
        return draft  # as of nearly all runs that there are: nothing more is looked at
    office = PostOffice(
        owner=facts.owner,
        receivers=receivers_of(_spec(facts), facts.observation.settings),
        senders=senders,
        settings=facts.observation.settings,
        describe=lambda event: describe_event_of_run(facts.owner, facts.run, event),
        now=facts.now,
        refused=facts.observation.refused,
    )
    posted = post(office, [Letter(events_of_run(facts.run), deliveries)])
    draft = draft.status(notifications=posted.letters[0].deliveries)
    draft = draft.with_writes(*posted.writes).requeue_at(posted.requeue_time)
    return replace(draft, events=(*draft.events, *posted.said))


def _spec(facts: RunFacts) -> PipelineSpec | None:
    """Return the Pipeline's spec as it is now, for who is told need not be who was when the run began.

    Where that is gone, or cannot be read, it is the one that the run took.
    """
    with suppress(Refused):
        if facts.pipeline is not None:
            return facts.pipeline.spec
    with suppress(Refused):
        if facts.snapshot is not None:
            return facts.snapshot.pipeline.spec
    return None
