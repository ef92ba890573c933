"""Debian's cron, written straight from its source (`cron.c` and `entry.c` of cron 3.0pl1), to compare with.

It wakes up each minute and compares the minutes of the wall clock with those that it has dealt with:

| the clock has gone on by | what runs |
|---|---|
| 1 minute | everything of that minute |
| 2 to 5 minutes | everything of each of these minutes, at once |
| 6 minutes to 3 hours | what follows the clock, for this minute; what is fixed, for each minute that was skipped |
| more | everything of this minute |
| back, by less than 3 hours and a minute | what follows the clock only, until it is where it was |
| back, by more | everything of this minute |

Years of minutes are arrays: the first line of the table is done for all of them at once, the others one by one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = 60
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
Minutes = Any  # an array of whole numbers: minutes since 1970, of UTC or of a wall clock


@dataclass(frozen=True)
class Clock:
    """The minutes of UTC between two instants, and what the wall clock of a zone shows at each."""

    utc: Minutes
    wall: Minutes

    @cached_property
    def parts(self) -> tuple[Minutes, ...]:
        """The minute, hour, day of the month, month and day of the week at each."""
        return parts_of(self.wall)

    @property
    def changes(self) -> list[int]:
        """The places at which the clock does not go on by a minute."""
        return [int(place) + 1 for place in np.flatnonzero(np.diff(self.wall) != 1)]


@lru_cache(maxsize=1)  # ten years are large
def clock_of(zone: str, start: datetime, end: datetime) -> Clock:
    """Return what the clock of a zone shows from one instant to another."""
    first, last = minutes_of(start), minutes_of(end)
    places = [first, *_changes(zone, first, last), last]
    offsets = [np.full(late - early, offset(zone, early)) for early, late in pairwise(places)]
    utc = np.arange(first, last)
    return Clock(utc, utc + np.concatenate(offsets))


def offset(zone: str, minute: int) -> int:
    """Return by how many minutes a zone is ahead of UTC."""
    ahead = (EPOCH + minute * MINUTE).astimezone(ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return ahead // MINUTE


def minutes_of(instant: datetime) -> int:
    return (instant - EPOCH) // MINUTE


def _changes(zone: str, first: int, last: int) -> list[int]:
    """Return the first minutes with another offset than the one before; no zone changes twice in six hours."""
    steps = [*range(first, last, 6 * HOUR), last]
    return [
        next(minute for minute in range(early, late + 1) if offset(zone, minute) != offset(zone, early))
        for early, late in pairwise(steps)
        if offset(zone, early) != offset(zone, late)
    ]


def debian_moments(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Return when Debian's cron runs a line, from one instant (well before which no clock changed) to another."""
    clock = clock_of(zone, start, end)
    fields = expression.split()
    follows_the_clock = fields[0].startswith("*") or fields[1].startswith("*")
    runs = matches(fields, clock.parts)
    for place in clock.changes:
        before, now = int(clock.wall[place - 1]), int(clock.wall[place])
        gone_on = now - before
        if 1 < gone_on <= 5 or (5 < gone_on <= 3 * HOUR and not follows_the_clock):
            runs[place] |= matches(fields, parts_of(np.arange(before + 1, now))).any()
        elif -3 * HOUR < gone_on <= 0 and not follows_the_clock:
            runs[place : place + before - now + 1] = False
    return [EPOCH + int(minute) * MINUTE for minute in clock.utc[runs]]


def parts_of(wall: Minutes) -> tuple[Minutes, ...]:
    """Return the minute, hour, day of the month, month and day of the week of minutes of a wall clock."""
    days = wall // (24 * HOUR)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    found = (
        wall % HOUR,
        wall // HOUR % 24,
        (dates - months).astype(int) + 1,
        months.astype(int) % 12 + 1,
        (days + 4) % 7,
    )
    return tuple(part.astype(np.int8) for part in found)


def matches(fields: list[str], parts: tuple[Minutes, ...]) -> Any:
    """Return which minutes of the wall clock a line names."""
    minute, hour, day, month, weekday = map(named, fields, RANGES, parts)
    one_is_any = fields[2].startswith("*") or fields[4].startswith("*")
    return minute & hour & month & ((day & weekday) if one_is_any else (day | weekday))


def named(field: str, bounds: tuple[int, int], part: Minutes) -> Any:
    """Return for each number whether the field names it; 7 is Sunday, as 0 is."""
    is_named = np.zeros(64, dtype=bool)
    is_named[values(field, *bounds)] = True
    if bounds == RANGES[4]:
        is_named[0] |= is_named[7]
    return is_named[part]


def values(field: str, low: int, high: int) -> list[int]:
    """Return the numbers that a field names: `*`, `4`, `4-6`, `*/2`, `4-10/3`, or several with commas."""
    found: list[int] = []
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found += range(int(first), int(last or first) + 1, int(step or 1))
    return found
