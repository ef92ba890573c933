"""What becomes of the moments since the last look: which fire now, which are missed and why, and when the next is.

Each moment between the baseline and now is dealt with in one look, and in no later one: the baseline that a look gives
is the newest moment that it dealt with.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Literal

from penstock.decide.trigger.schedule import Schedule, moments_until, next_moment

CatchUpPolicy = Literal["None", "Last", "All"]
# A moment that is no later than this is not late: whoever looks needs a little time, and is now and then busy.
ON_TIME = timedelta(minutes=1)
# Beyond these an outage is long, not exact: a year of every minute would take seconds to count.
MOST_COUNTED = 1000
MOST_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Which of the moments that were missed still fire: none, the last, or all up to a limit."""

    policy: CatchUpPolicy
    limit: int
    starting_deadline: timedelta


@dataclass(frozen=True)
class MissedMoment:
    """A moment that does not fire, and why not."""

    moment: datetime
    sentence: str


@dataclass(frozen=True, kw_only=True)
class DueAndMissed:
    """Every moment between a baseline and now: due, or missed. The baseline of the next look, and the next moment.

    Where `is_exact` is false the outage was so long that there are more missed moments than `missed_count`.
    """

    due: tuple[datetime, ...]
    missed_count: int
    is_exact: bool
    last_missed: tuple[MissedMoment, ...]
    baseline: datetime
    next_moment: datetime | None


def due_and_missed(schedule: Schedule, catch_up: CatchUp, baseline: datetime, now: datetime) -> DueAndMissed:
    """Return what becomes of the moments after the baseline whose time has come; lists are oldest first."""
    until = max(now - schedule.delay, baseline)
    most = MOST_COUNTED + catch_up.limit
    newest_first = list(islice(takewhile(lambda each: each > baseline, moments_until(schedule, until)), most + 1))
    counted = newest_first[:most]
    due = _due(catch_up, counted, until)
    missed = [moment for moment in counted if moment not in due]
    return DueAndMissed(
        due=tuple(sorted(due)),
        missed_count=len(missed),
        is_exact=len(newest_first) <= most,
        last_missed=tuple(MissedMoment(each, _why(catch_up, until - each)) for each in reversed(missed[:MOST_LISTED])),
        baseline=newest_first[0] if newest_first else baseline,
        next_moment=next_moment(schedule, until),
    )


def _due(catch_up: CatchUp, newest_first: list[datetime], until: datetime) -> set[datetime]:
    """Return the moments that fire: those on time in any case, and of the late ones as many as the policy says."""
    startable = [each for each in newest_first if until - each <= catch_up.starting_deadline]
    on_time = [each for each in startable if until - each < ON_TIME]
    late = startable[len(on_time) :]
    match catch_up.policy:
        case "None":
            late = []
        case "Last":
            late = [] if on_time else late[:1]
        case "All":
            late = late[: catch_up.limit]
    return {*on_time, *late}


def _why(catch_up: CatchUp, late: timedelta) -> str:
    if late > catch_up.starting_deadline:
        return "It was over for longer than startingDeadline allows."
    match catch_up.policy:
        case "None":
            return "It was missed, and catchUp is None."
        case "Last":
            return "A later moment was there as well, and catchUp is Last."
        case "All":
            return f"There were more to catch up with than catchUpLimit ({catch_up.limit}) allows."
