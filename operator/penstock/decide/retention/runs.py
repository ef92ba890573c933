"""Which runs go: of those that Penstock made itself the oldest beyond so many.

A run that a person, or a GitOps tool, applied is never deleted: it would be applied again, and run again. Beyond as
many it loses its Jobs and logs, and nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.api.schema import GROUP, JobName
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import MANAGED_BY, MANAGER, TRIGGER_AWAITED
from penstock.decide.observed.listers import is_live

_HANDED_ON: tuple[JobName, ...] = ("dataset", "training", "testing")


@dataclass(frozen=True)
class ExpiredRuns:
    """Runs beyond those that are kept: `deleted` are Penstock's own, `applied` lose Jobs and logs."""

    deleted: tuple[ApiObject, ...] = ()
    applied: tuple[ApiObject, ...] = ()


def expired_runs(keep: int | None, runs: Iterable[ApiObject], triggers: Iterable[ApiObject] = ()) -> ExpiredRuns:
    """Return which runs of a Pipeline are beyond the last `keep` that ended; those applied are counted by themselves.

    A live run is not counted, nor one of a Trigger that has `historyLimits` of its own, or has yet to record it. One
    that a live run repeats, or whose results the next run without that job would take over, is never deleted. No run is
    looked at where all are kept.
    """
    if keep is None:
        return ExpiredRuns()
    runs = tuple(runs)
    ruled = {trigger["metadata"]["uid"] for trigger in triggers if trigger["spec"].get("historyLimits")}
    ended = [run for run in runs if not is_live(run) and not _is_kept_otherwise(run, ruled)]
    newest_first = sorted(ended, key=_moment, reverse=True)
    ours = [run for run in newest_first if is_made_by_penstock(run)]
    theirs = [run for run in newest_first if not is_made_by_penstock(run)]
    held = runs_in_use(runs)
    deleted = tuple(run for run in reversed(ours[keep:]) if run["metadata"]["name"] not in held)
    return ExpiredRuns(deleted, tuple(reversed(theirs[keep:])))


def runs_in_use(runs: Sequence[ApiObject]) -> frozenset[str]:
    """Return the names of the runs that others refer to, or may yet take results from."""
    live = [run for run in runs if is_live(run)]
    named = {str(run["metadata"]["name"]) for run in runs if has_live_rerun(live, run)}
    last = (latest_with(job, runs) for job in _HANDED_ON)
    return frozenset(named | {str(run["metadata"]["name"]) for run in last if run is not None})


def is_made_by_penstock(run: ApiObject) -> bool:
    """Return whether Penstock itself made the run: a Trigger controls it, or it says that Penstock manages it."""
    metadata = run["metadata"]
    if (metadata.get("labels") or {}).get(MANAGED_BY) == MANAGER:
        return True
    return any(
        owner.get("controller") and owner.get("kind") == "Trigger" and str(owner.get("apiVersion")).startswith(GROUP)
        for owner in metadata.get("ownerReferences") or ()
    )


def latest_with(job: JobName, runs: Iterable[ApiObject]) -> ApiObject | None:
    """Return the run that did this job last, well."""
    done = [
        (str(step.get("completionTime") or ""), str(run["metadata"]["name"]), run)
        for run in runs
        for step in steps_of(run)
        if step.get("name") == job and step.get("state") == "Succeeded"
    ]
    return max(done, key=lambda each: each[:2])[2] if done else None


def has_live_rerun(live: Iterable[ApiObject], run: ApiObject) -> bool:
    """Return whether a live run repeats this one."""
    name = run["metadata"]["name"]
    return any((each["spec"].get("rerunOf") or {}).get("name") == name for each in live)


def steps_of(run: ApiObject) -> Sequence[Any]:
    """Return the steps of a run, as its status has them."""
    return (run.get("status") or {}).get("steps") or ()


def _is_kept_otherwise(run: ApiObject, triggers: set[str]) -> bool:
    """Return whether the run goes by itself, or by the rules of one of these Triggers."""
    metadata = run["metadata"]
    owners = metadata.get("ownerReferences") or ()
    return (
        bool(metadata.get("deletionTimestamp"))
        or TRIGGER_AWAITED in (metadata.get("labels") or {})
        or any(owner.get("controller") and owner.get("uid") in triggers for owner in owners)
    )


def _moment(run: ApiObject) -> tuple[str, str, str]:
    metadata = run["metadata"]
    finished = str((run.get("status") or {}).get("completionTime") or "")
    return finished, str(metadata.get("creationTimestamp") or ""), str(metadata["name"])
