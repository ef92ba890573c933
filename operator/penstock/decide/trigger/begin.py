"""Since when a Trigger fires: what was before is not made up for.

Its status says it. Where that is lost it is found again from its runs, which say what they are for. An edit and a
resume begin anew, now. This comes before anything else, and is written by itself: no run is made before it is in the
status.
"""

from datetime import timedelta

from penstock.api.quantities import read_duration
from penstock.api.trigger import TriggerCounts
from penstock.decide.decision import ApiObject
from penstock.decide.times import read_time, write_time
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.firing_words import fired
from penstock.decide.trigger.occasion import MODEL_WORSE, PIPELINE_CHANGED, RUN_ENDED
from penstock.decide.trigger.pipeline_changes import digest_of


def has_begun(facts: TriggerFacts) -> bool:
    """Return whether the status says since when the spec is as it is."""
    status = facts.status
    return status.start_time is not None and status.observed_generation == facts.generation


def begin(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft of a Trigger that begins now, or goes on where its runs say that it was."""
    if facts.status.start_time is None:
        return _begin_without_status(facts, draft)
    # Those that were made, and of which the status was not written before the spec changed.
    made = [run for run in _by_reconcile(facts) if own_runs.scheduled_time(run) > write_time(facts.baseline)]
    return draft.record(*(fired(run) for run in made)).status(start_time=facts.time, pipeline_digest=None, look=None)


def _begin_without_status(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    made = _by_reconcile(facts, RUN_ENDED, MODEL_WORSE)
    known = [run for run in made if own_runs.has_generation(run, facts.generation)]
    last = own_runs.scheduled_time(known[-1]) if known else ""
    digest = digest_of(known[-1]) if known else None
    draft = draft.status(counts=_counts(facts), last_schedule_time=last or None, pipeline_digest=digest)
    if facts.own_runs:
        draft = draft.status(last_run=str(facts.own_runs[-1]["metadata"]["name"]))
    if facts.spec.suspend:
        return draft.status(start_time=facts.time)
    return draft.status(start_time=last or _creation(facts) or facts.time)


def _creation(facts: TriggerFacts) -> str | None:
    """Return when the Trigger was made, where that is not long ago and its spec has not changed since."""
    made = facts.trigger.metadata.creation_timestamp
    deadline = timedelta(seconds=read_duration(facts.spec.starting_deadline, "spec.startingDeadline"))
    young = made is not None and facts.generation in (None, 1) and facts.now <= read_time(made) + deadline
    return made if young else None


def _by_reconcile(facts: TriggerFacts, *more: str) -> list[ApiObject]:
    """Return the runs that are counted where they are made: those for moments, and for changes of the Pipeline.

    And those of `more` types of events.
    """
    types = ((run, (own_runs.event_of(run) or {}).get("type")) for run in facts.own_runs)
    kinds = (None, PIPELINE_CHANGED, *more)
    return [run for run, kind in types if kind in kinds and own_runs.scheduled_time(run)]


def _counts(facts: TriggerFacts) -> TriggerCounts:
    """Return what can be told from the runs that are there; those that are marked are counted later."""
    decided = [run for run in facts.own_runs if not own_runs.is_undecided(run) or own_runs.event_of(run) is None]
    folded = sum(map(own_runs.is_folded, decided))
    return TriggerCounts(fired=len(decided) - folded, skipped=folded)
