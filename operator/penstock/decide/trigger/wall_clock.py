"""At which instants a minute of the wall clock fires, also where clocks are changed: the rules of Debian's cron.

An expression whose minute or hour begins with `*` follows the clock: it fires as often as the clock shows its minutes,
which is not at all in an hour that is skipped, and twice in one that comes twice. Any other expression is fixed: it
fires once, at the first of the two, or right after the hour that was skipped. Larger changes than these are changes of
the calendar, as when Samoa left out 30 December 2011; nothing is made up for then.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Debian's cron compares whole minutes, so that a skip of just three hours is one of the calendar, and a repeat is not.
SHORTEST_CALENDAR_SKIP = timedelta(hours=3)
LONGEST_CLOCK_REPEAT = timedelta(hours=3)
_SECOND = timedelta(seconds=1)


def instants_of(wall: datetime, zone: ZoneInfo, *, fixed: bool) -> tuple[datetime, ...]:
    """Return the instants, in UTC, at which an expression that names this minute of the wall clock fires."""
    before, after = _offset(wall, zone, 0), _offset(wall, zone, 1)
    if before == after:
        return (_instant(wall, before),)
    if before > after:  # the clock shows it twice
        if fixed and before - after <= LONGEST_CLOCK_REPEAT:
            return (_instant(wall, before),)
        return _instant(wall, before), _instant(wall, after)
    if fixed and after - before < SHORTEST_CALENDAR_SKIP:
        return (_change_between(zone, _instant(wall, after), _instant(wall, before)),)
    return ()


def wall_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock shows then, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far the clock is ahead of UTC then."""
    return _known(instant.astimezone(zone).utcoffset())


def _change_between(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Return the first second with the offset of `late`; of an instant with another one, it is the change between."""
    offset = offset_at(late, zone)
    while late - early > _SECOND:
        middle = early + (late - early) // (2 * _SECOND) * _SECOND
        early, late = (early, middle) if offset_at(middle, zone) == offset else (middle, late)
    return late


def _offset(wall: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    return _known(wall.replace(tzinfo=zone, fold=fold).utcoffset())


def _instant(wall: datetime, offset: timedelta) -> datetime:
    return (wall - offset).replace(tzinfo=UTC)


def _known(offset: timedelta | None) -> timedelta:
    assert offset is not None
    return offset
