"""The moments of a schedule: all its cron expressions and explicit moments as one sequence, each moment once.

Everything is lazy: whoever asks says how many moments it wants, and no more are looked for. A moment is what the
schedule names; its jitter only delays what is done at it, so that an edit of the jitter makes no new moment.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, islice, takewhile
from zoneinfo import ZoneInfo

from penstock.decide.trigger.expression import CronExpression

_NO_TIME = timedelta(0)
_DIGEST_BITS = 64


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Cron expressions and explicit moments; each fires `delay` after its moment."""

    expressions: tuple[str, ...] = ()
    moments: tuple[datetime, ...] = ()
    time_zone: str = "Etc/UTC"
    delay: timedelta = _NO_TIME

    def cron_expressions(self) -> list[CronExpression]:
        """Return its expressions, with their zone."""
        zone = ZoneInfo(self.time_zone)
        return [CronExpression(text, zone) for text in self.expressions]


def delay_within(jitter: timedelta, uid: str) -> timedelta:
    """Return the delay of the Trigger with that uid: whole seconds, at least none and less than the jitter."""
    seconds = -(-jitter // timedelta(seconds=1))
    drawn = int.from_bytes(hashlib.sha256(uid.encode()).digest()[: _DIGEST_BITS // 8])
    return timedelta(seconds=drawn * seconds >> _DIGEST_BITS)


def moments_after(schedule: Schedule, instant: datetime) -> Iterator[datetime]:
    """Yield the moments after that instant, in their order and perhaps without end."""
    explicit = sorted(moment for moment in schedule.moments if moment > instant)
    return _distinct(merge(explicit, *(each.after(instant) for each in schedule.cron_expressions())))


def moments_until(schedule: Schedule, instant: datetime) -> Iterator[datetime]:
    """Yield the moments up to that instant and at it, the newest first and perhaps without end."""
    explicit = sorted((moment for moment in schedule.moments if moment <= instant), reverse=True)
    return _distinct(merge(explicit, *(each.until(instant) for each in schedule.cron_expressions()), reverse=True))


def moments_between(schedule: Schedule, after: datetime, until: datetime, most: int) -> list[datetime]:
    """Return the moments after the one instant, up to the other and at it; the first of them, if they are too many."""
    return list(islice(takewhile(lambda moment: moment <= until, moments_after(schedule, after)), most))


def next_moment(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first moment after that instant, or None."""
    return next(moments_after(schedule, after), None)


def last_moment(schedule: Schedule, until: datetime) -> datetime | None:
    """Return the last moment up to that instant or at it, or None."""
    return next(moments_until(schedule, until), None)


def _distinct(moments: Iterable[datetime]) -> Iterator[datetime]:
    return (moment for moment, _ in groupby(moments))
