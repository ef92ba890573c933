"""What has become of a Trigger's moments and events between two looks at it."""

from penstock.api.trigger import Firing, TriggerCounts, TriggerStatus


def firings_since(before: TriggerStatus | None, after: TriggerStatus | None) -> tuple[Firing, ...]:
    """Return what the history says now and did not say before, the oldest first."""
    known = before.history if before is not None else ()
    found = after.history if after is not None else ()
    new = next((count for count in range(len(found) + 1) if found[count:] == known[: len(found) - count]), len(found))
    return found[:new][::-1]


def count_untold(before: TriggerStatus | None, after: TriggerStatus | None) -> int:
    """Return how many moments and events were counted since, beyond those that the history has room for."""
    return _total(after) - _total(before) - len(firings_since(before, after))


def _total(status: TriggerStatus | None) -> int:
    counts = (status.counts if status is not None else None) or TriggerCounts()
    return counts.fired + counts.skipped + counts.missed
