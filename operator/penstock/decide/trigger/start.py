"""A run for an occasion, or why there is none: the rules that hold of every source, in their order."""

from penstock.api.trigger import Firing
from penstock.decide import reasons
from penstock.decide.decision import Create
from penstock.decide.trigger import messages
from penstock.decide.trigger.concurrency import room_for_run
from penstock.decide.trigger.draft import TriggerDraft, firing
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.failures import failed_in_a_row
from penstock.decide.trigger.filter import passes_filter
from penstock.decide.trigger.firing_words import fired
from penstock.decide.trigger.make_run import make_run
from penstock.decide.trigger.occasion import Occasion
from penstock_jobs.contract.errors import Refused


def start_run(
    facts: TriggerFacts, draft: TriggerDraft, occasion: Occasion, *, late: bool = False, waits: bool = False
) -> tuple[TriggerDraft, Firing]:
    """Return the draft in which the run for an occasion is made, where it is to be, and what the history says of it.

    Args:
        facts: what is known.
        draft: what the reconcile has come to so far.
        occasion: a moment or event for which there is no run yet.
        late: whether it was missed.
        waits: whether the run waits for its turn; then no live run keeps it from being made.
    """
    limit = facts.spec.failure_limit
    if limit is not None and len(failed_in_a_row(facts)) >= limit:
        return draft, firing(occasion, "Skipped", reasons.FAILURE_LIMIT, messages.failure_limit_skips(limit))
    room = None if waits else room_for_run(facts)
    try:
        if not passes_filter(facts.trigger, occasion, facts.observation.runs):
            return draft, firing(occasion, "Skipped", reasons.FILTERED, messages.filtered_out())
        if room is not None and room.held_by is not None:
            return draft, firing(occasion, "Skipped", reasons.RUN_LIVE, messages.run_live(room.held_by))
        made = make_run(facts.trigger, occasion, waits=waits)
    except Refused as error:
        return draft, firing(occasion, "Skipped", reasons.INVALID, str(error))
    replaced = room.replaced_names if room is not None else ()
    besides = messages.replaced_runs(replaced) if replaced else ""
    cancellations = room.cancellations if room is not None else ()
    return draft.with_writes(*cancellations, Create(made)), fired(made, late=late, besides=besides)
