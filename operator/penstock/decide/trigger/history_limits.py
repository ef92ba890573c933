"""Which of its own runs a Trigger lets go: those that ended, beyond as many as `historyLimits` says."""

from collections.abc import Iterable

from penstock.api.decoding import Unreadable, decode
from penstock.api.run import PipelineRun
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import has_ended
from penstock.decide.retention.runs import runs_in_use
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.draft import TriggerDraft
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.filter import result_of

MOST_AT_ONCE = 50


def apply_history_limits(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which the oldest runs beyond the limits are deleted, but for those that others need."""
    limits = facts.spec.history_limits
    if limits is None:
        return draft
    ended = [run for run in reversed(facts.own_runs) if _may_go(run)]
    folded = [run for run in ended if own_runs.is_folded(run)]
    others = [run for run in ended if not own_runs.is_folded(run)]
    succeeded = [run for run in others if result_of(run)["result"] == "Succeeded"]
    failed = [run for run in others if result_of(run)["result"] != "Succeeded"]
    beyond = [
        *_beyond(succeeded, limits.succeeded),
        *_beyond(failed, limits.failed),
        *_beyond(folded, limits.failed),  # which never began, and push out none that did
    ]
    if not beyond:
        return draft
    held = runs_in_use(tuple(facts.observation.runs))
    gone = [run for run in beyond if run["metadata"]["name"] not in held and _is_readable(run)]
    return draft.with_writes(*(own_runs.deletion(run) for run in gone[:MOST_AT_ONCE]))


def _may_go(run: ApiObject) -> bool:
    return has_ended(run) and not own_runs.is_undecided(run) and not run["metadata"].get("deletionTimestamp")


def _beyond(newest_first: list[ApiObject], limit: int | None) -> Iterable[ApiObject]:
    return () if limit is None else reversed(newest_first[limit:])


def _is_readable(run: ApiObject) -> bool:
    """Return whether it can be known what is about to be deleted."""
    return not isinstance(decode(run, PipelineRun), Unreadable)
