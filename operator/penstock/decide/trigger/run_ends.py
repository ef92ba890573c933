"""The source `runs`: each run of the Pipeline that is watched, and that ended as is asked, is an event.

Its run is made at once, and waits until the Trigger lets it begin (`delivery.py`), as one for an event by HTTP does.
"""

from datetime import timedelta

from penstock.api.run import TriggeringEvent
from penstock.api.trigger_sources import RunsSource
from penstock.decide import reasons
from penstock.decide.decision import ApiObject
from penstock.decide.times import read_time, write_time
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.filter import result_of
from penstock.decide.trigger.occasion import RUN_ENDED, Occasion, on_event
from penstock.decide.trigger.start import start_run

# Ends are seen in another order than they were written in: so far back each is looked for by itself.
LOOK_BACK = timedelta(seconds=30)
MOST_AT_ONCE = 20


def follow_runs(facts: TriggerFacts, draft: TriggerDraft, source: RunsSource) -> TriggerDraft:
    """Return the draft in which each run that ended since the Trigger began has its run, or it is said why not."""
    new = 0
    for run in facts.observation.watched.ended_after(ends_since(facts)):
        occasion = occasion_of(run)
        if not _fits(source, run) or is_dealt_with(facts, occasion):
            continue
        if new == MOST_AT_ONCE:
            break
        new += 1
        draft = make_waiting_run(facts, draft, occasion)
    return draft


def is_dealt_with(facts: TriggerFacts, occasion: Occasion) -> bool:
    """Return whether an event has its run already, or the history says why it has none."""
    known = {each.event for each in facts.status.history}
    return (occasion.event is not None and occasion.event.id in known) or facts.run_for(occasion) is not None


def make_waiting_run(facts: TriggerFacts, draft: TriggerDraft, occasion: Occasion) -> TriggerDraft:
    """Return the draft in which an event has its run, which waits for its turn; or it says why not.

    That it was fired is said when the run begins.
    """
    if facts.run_for(occasion) is None:
        draft, said = start_run(facts, draft, occasion, waits=True)
        if said.outcome == "Skipped":
            draft = draft.record(said)
    last = draft.current.last_schedule_time
    return draft.status(last_schedule_time=max(last or "", write_time(occasion.time)))


def occasion_of(run: ApiObject) -> Occasion:
    """Return the event that the end of a run is."""
    metadata, ended = run["metadata"], str(run["status"]["completionTime"])
    event = TriggeringEvent(id=str(metadata["uid"]), source=str(metadata["name"]), type=RUN_ENDED, time=ended)
    return on_event(event, read_time(ended), data=result_of(run))


def ends_since(facts: TriggerFacts) -> str:
    """Return the time after which ends are looked at."""
    started, last = facts.status.start_time or facts.time, facts.status.last_schedule_time
    back = started if last is None else write_time(read_time(last) - LOOK_BACK)
    return max(write_time(read_time(started)), back)


def _fits(source: RunsSource, run: ApiObject) -> bool:
    found = result_of(run)
    if found["reason"] == reasons.BEGUN_BEFORE:
        return False  # it ended long ago, and is seen to have only now
    return found["result"] in (source.results or ("Succeeded",)) and (
        not source.verdicts or found["verdict"] in source.verdicts
    )
