"""Beside two libraries: where what they find is not what we find, docs/how-to/schedules.md says why.

cronsim is the one that we use, for the wall clock only: here it is asked with a zone, as others use it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st

from unit.trigger.tried import AROUND, FIXED, FOLLOWING, MINUTE, our_moments
from unit.trigger.zones import TEN_YEARS, one_of_each_change, zones_once

Library = Callable[[str, str, datetime, datetime], list[datetime]]
# The clocks in which cronsim differs, by the first of their names.
HALF_AN_HOUR = {"Australia/LHI"}  # Lord Howe
NOT_AT_A_FULL_HOUR = {"NZ-CHAT"}  # Chatham
THREE_HOURS_SKIPPED = {"Antarctica/Casey"}
EXPRESSIONS = (*FIXED, *FOLLOWING)


def cronsim_moments(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    walk = CronSim(expression, start.astimezone(ZoneInfo(zone)) - MINUTE)
    return _between((moment.astimezone(UTC) for moment in walk), start, end)


def croniter_moments(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    walk = croniter(expression, start.astimezone(ZoneInfo(zone)) - MINUTE)
    return _between((moment.astimezone(UTC) for moment in walk.all_next(datetime)), start, end)


def _between(found: Iterable[datetime], start: datetime, end: datetime) -> list[datetime]:
    moments = []
    for moment in found:
        if moment >= end:
            break
        if moment >= start:
            moments.append(moment)
    return moments


def test_with_a_zone_cronsim_differs_at_odd_changes_only() -> None:
    differing = set()
    for zone in zones_once():
        for change in one_of_each_change(zone, *TEN_YEARS):
            window = change - AROUND, change + AROUND
            if any(cronsim_moments(each, zone, *window) != our_moments(each, zone, *window) for each in EXPRESSIONS):
                differing.add(zone)

    assert differing == HALF_AN_HOUR | NOT_AT_A_FULL_HOUR | THREE_HOURS_SKIPPED


def local(library: Library, expression: str, zone: str, days: str) -> list[str]:
    """Return the moments from one midnight of a zone to another, as its clock shows them."""
    start, end = (datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in days.split())
    found = library(expression, zone, start, end)
    return [moment.astimezone(ZoneInfo(zone)).strftime("%H:%M%z") for moment in found]


@pytest.mark.parametrize(
    ("library", "expression", "zone", "days", "ours", "theirs"),
    [
        # It loses what follows the clock where the change is not one of whole hours at a full hour.
        (
            cronsim_moments,
            "20 */2 * * *",
            "Australia/Lord_Howe",
            "2026-04-05 2026-04-06",
            ["00:20+1100", "02:20+1030", "04:20+1030"],
            ["00:20+1100", "04:20+1030"],
        ),
        # It makes up for a day that was left out.
        (
            cronsim_moments,
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29 2012-01-01",
            ["12:00-1000", "12:00+1400"],
            ["12:00-1000", "00:00+1400", "12:00+1400"],
        ),
        # It repeats fixed moments in an hour that comes twice.
        (
            croniter_moments,
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25 2026-10-26",
            ["02:30+0200"],
            ["02:30+0200", "02:30+0100"],
        ),
        # It makes up, once, for skipped moments of what follows the clock.
        (
            croniter_moments,
            "*/20 2 * * *",
            "Europe/Berlin",
            "2026-03-29 2026-03-30",
            [],
            ["03:00+0200"],
        ),
        # It loses what follows the clock where half an hour comes twice.
        (
            croniter_moments,
            "*/20 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-05 2026-04-06",
            ["01:00+1100", "01:20+1100", "01:40+1100", "01:40+1030"],
            ["01:00+1100", "01:20+1100", "01:40+1100"],
        ),
    ],
)
def test_each_difference_where_clocks_change(
    library: Library, expression: str, zone: str, days: str, ours: list[str], theirs: list[str]
) -> None:
    assert local(our_moments, expression, zone, days)[: len(ours)] == ours
    assert local(library, expression, zone, days)[: len(theirs)] == theirs


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """Return fields without what croniter reads in its own way: a range of one number, a `*` in the midst of a list."""
    number = st.integers(low, high)
    step = st.integers(1, 12)
    span = st.tuples(number, number).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: f"{ends[0]}-{ends[1]}")
    every_nth = step.map(lambda size: f"*/{size}")
    stepped = st.tuples(span, step).map(lambda pair: f"{pair[0]}/{pair[1]}")
    listed = st.lists(st.one_of(number.map(str), span, stepped), min_size=1, max_size=2).map(",".join)
    return st.one_of(st.just("*"), every_nth, listed)


FIVE = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)).map(" ".join)


@given(FIVE, st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)))
def test_where_no_clock_changes_both_libraries_find_the_same(expression: str, start: datetime) -> None:
    start = start.replace(second=0, microsecond=0)
    try:
        found = list(islice(CronSim(expression, start), 5))
    except CronSimError:
        found = []
    assume(found)

    walk = croniter(expression, start, implement_cron_bug=True)
    assert found == [walk.get_next(datetime) for _ in found]


def test_croniter_takes_a_step_for_a_restriction_of_the_day_unless_told_otherwise() -> None:
    start = datetime(2026, 12, 1)
    debian = next(CronSim("0 0 */2 * 1", start))
    either = croniter("0 0 */2 * 1", start).get_next(datetime)

    assert (debian, either) == (datetime(2026, 12, 7), datetime(2026, 12, 3))
