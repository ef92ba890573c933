"""The zones of the tz database, each clock once: many names are of one."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

TEN_YEARS = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
# Whole days left out, changes at midnight and a minute after it, of half an hour, of two and three hours, and of more.
ODD_YEARS = {
    "Pacific/Apia": 2011,
    "Pacific/Fakaofo": 2011,
    "Pacific/Kwajalein": 1993,
    "Pacific/Enderbury": 1994,
    "Antarctica/Casey": 2018,
    "Antarctica/Troll": 2020,
    "Antarctica/Vostok": 1994,
    "America/Danmarkshavn": 1996,
    "America/St_Johns": 2010,
    "America/Sao_Paulo": 2018,
    "America/Caracas": 2016,
    "Asia/Pyongyang": 2018,
    "Asia/Gaza": 2011,
    "Africa/Casablanca": 2012,
}


@cache
def clock_changes(zone: str, start: datetime, end: datetime) -> tuple[tuple[datetime, timedelta], ...]:
    """Return when the clock of a zone was changed, to the hour below, and by how much."""
    clock = ZoneInfo(zone)
    found = []
    instant, step = start, timedelta(hours=24)
    while instant < end:
        if _offset(clock, instant) != _offset(clock, instant + step):
            hours = [instant + timedelta(hours=hour) for hour in range(24)]
            found += [
                (hour, _offset(clock, hour + timedelta(hours=1)) - _offset(clock, hour))
                for hour in hours
                if _offset(clock, hour) != _offset(clock, hour + timedelta(hours=1))
            ]
        instant += step
    return tuple(found)


def _offset(clock: ZoneInfo, instant: datetime) -> timedelta:
    ahead = instant.astimezone(clock).utcoffset()
    assert ahead is not None
    return ahead


def one_of_each_change(zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Return one change of the clock for each size that the zone's changes have."""
    return list({size: instant for instant, size in clock_changes(zone, start, end)}.values())


@cache
def zones_once() -> tuple[str, ...]:
    """Return one zone for each clock of the ten years."""
    once: dict[object, str] = {}
    for name in sorted(available_timezones()):
        once.setdefault((_offset(ZoneInfo(name), TEN_YEARS[0]), clock_changes(name, *TEN_YEARS)), name)
    return tuple(once.values())
