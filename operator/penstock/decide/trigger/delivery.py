"""Which of the runs that wait begins, and what becomes of the others; and what is counted of those made by others.

The receiver of events, the end of another run, and a person make runs; those for events wait, suspended. What becomes
of each is written into the status first, and carried out after: whoever is killed in between finds in the history what
there is to do, and counts nothing twice. A run that is still marked (`TRIGGER_AWAITED`) and not in the history is new.
So no more are decided about at a time than the history has room for.
"""

from collections.abc import Iterator, Sequence

from penstock.api.trigger import Firing
from penstock.decide import reasons
from penstock.decide.decision import ApiObject, Write
from penstock.decide.observed.listers import goes_on
from penstock.decide.trigger import messages, own_runs
from penstock.decide.trigger.draft import MOST_HISTORY, TriggerDraft, firing_of
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.firing_words import fired
from penstock.decide.trigger.occasion import BACKFILL, BY_HAND


def carry_out_decisions(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which what the history says of a run that is still marked is done, the batches last."""
    said = {each.run: each for each in facts.status.history}
    marked = [run for run in _for_events(facts) if _name(run) in said]
    starting = [run for run in marked if said[_name(run)].outcome == "Fired"]
    folded = [run for run in marked if said[_name(run)].outcome != "Fired"]
    for run in folded:
        decision = said[_name(run)]
        batch = _batch(facts, said) if decision.reason == reasons.BATCHED else None
        draft = draft.with_writes(own_runs.fold(run, batch) if goes_on(run) else own_runs.acknowledge(run))
    for run in starting:
        if not own_runs.is_waiting(run):
            draft = draft.with_writes(own_runs.acknowledge(run))
            continue
        draft = draft.with_writes(*_replacements(facts), own_runs.release(run))
    return draft.with_writes(*(own_runs.acknowledge(run) for run in _let_go_by_others(facts)))


def record_begun(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which the new runs that do not wait are recorded: a person made them, or let them begin."""
    new = [run for run in _new(facts) if not own_runs.is_waiting(run)]
    return draft.record(*(_as_it_is(run) for run in new[:MOST_HISTORY]))


def let_begin(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which those begin whose turn it is, and those are said to be folded that are."""
    if draft.current.history != facts.status.history:
        return draft  # it has no room for more
    free = facts.spec.concurrency_policy == "Allow" or not _is_busy(facts)
    moments = [run for run in facts.waiting if own_runs.event_of(run) is None]
    asked = [run for run in _new(facts) if own_runs.is_waiting(run) and _is_asked(run)]
    events = [run for run in _new(facts) if own_runs.is_waiting(run) and not _is_asked(run)]
    if moments or asked:
        # Each of them is for a moment of its own, and none takes the place of another.
        ahead = sorted([*moments, *asked], key=own_runs.oldest_first)
        return _begin_in_turn(draft, ahead if facts.spec.concurrency_policy == "Allow" else ahead[:1], free=free)
    return draft.record(*_decide_about(facts, events, free=free)) if events else draft


def _begin_in_turn(draft: TriggerDraft, runs: Sequence[ApiObject], *, free: bool) -> TriggerDraft:
    if not free:
        return draft
    now = runs[:MOST_HISTORY]
    counted = [run for run in now if own_runs.event_of(run) is None]
    draft = draft.with_writes(*(own_runs.release(run) for run in counted))
    return draft.record(*(fired(run) for run in now if own_runs.event_of(run) is not None))


def _decide_about(facts: TriggerFacts, events: Sequence[ApiObject], *, free: bool) -> list[Firing]:
    """Return what becomes of the oldest of these, as many as the history has room for, in their order."""
    replaces = facts.spec.concurrency_policy == "Replace"
    match facts.spec.delivery:
        case "Batch":
            chosen, others, reason = events[0], events[1:], reasons.BATCHED
        case "Each" if not replaces:
            number = MOST_HISTORY if facts.spec.concurrency_policy == "Allow" else 1
            return [fired(run) for run in events[:number]] if free else []
        case _:
            chosen, others, reason = events[-1], events[:-1], reasons.NEWER_EVENT
    sentence = messages.batched if reason == reasons.BATCHED else messages.newer_event
    found = [firing_of(run, "Skipped", reason, sentence(_name(chosen))) for run in others[:MOST_HISTORY]]
    if (free or replaces) and len(others) < MOST_HISTORY:
        names = [_name(run) for run in facts.live] if replaces else []
        found.append(fired(chosen, besides=messages.replaced_runs(names) if names else ""))
    return found


def _is_busy(facts: TriggerFacts) -> bool:
    """Return whether a run is live, or about to be let begin."""
    starting = {each.run for each in facts.status.history if each.outcome == "Fired"}
    return bool(facts.live) or any(_name(run) in starting for run in _for_events(facts))


def _new(facts: TriggerFacts) -> list[ApiObject]:
    """Return the runs for events of which nothing is recorded yet, in their order."""
    known = {each.run for each in facts.status.history}
    return [run for run in _for_events(facts) if _name(run) not in known]


def _for_events(facts: TriggerFacts) -> Iterator[ApiObject]:
    """Yield the marked runs for events, in their order; those for moments were counted when their moments came."""
    return (run for run in facts.own_runs if own_runs.is_undecided(run) and own_runs.event_of(run) is not None)


def _let_go_by_others(facts: TriggerFacts) -> Iterator[ApiObject]:
    """Yield the marked runs for moments that wait no more: they were resumed, cancelled or replaced."""
    marked = (run for run in facts.own_runs if own_runs.is_undecided(run) and own_runs.event_of(run) is None)
    return (run for run in marked if not own_runs.is_waiting(run))


def _is_asked(run: ApiObject) -> bool:
    return (own_runs.event_of(run) or {}).get("type") in (BY_HAND, BACKFILL)


def _as_it_is(run: ApiObject) -> Firing:
    given_up = run["spec"].get("cancel") or run["metadata"].get("deletionTimestamp")
    if given_up and (run.get("status") or {}).get("startTime") is None:
        return firing_of(run, "Skipped", reasons.CANCELLED, messages.not_begun(_name(run)))
    return fired(run)


def _replacements(facts: TriggerFacts) -> Iterator[Write]:
    if facts.spec.concurrency_policy == "Replace":
        yield from (own_runs.cancel(run) for run in facts.live)


def _batch(facts: TriggerFacts, said: dict[str | None, Firing]) -> str | None:
    """Return the run that takes the others: the first that waits and is not folded itself."""
    firings = ((run, said.get(_name(run))) for run in facts.waiting)
    return next((_name(run) for run, known in firings if known is None or known.outcome == "Fired"), None)


def _name(run: ApiObject) -> str:
    return str(run["metadata"]["name"])
