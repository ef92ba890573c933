"""The moments of a schedule are those of Debian's cron, in every zone and however its clock changes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile

import pytest

from penstock.decide.trigger.schedule import Schedule, moments_until
from unit.trigger.debian_cron import debian_moments
from unit.trigger.tried import AROUND, FIXED, FOLLOWING, HOUR, MINUTE, our_moments
from unit.trigger.zones import ODD_YEARS, TEN_YEARS, clock_changes, one_of_each_change, zones_once

OVER_THE_YEARS = ("30 2 * * *", "*/20 1-2 * * 0", "0 3 1,15 * 1")
RARE = ("0 4 */2 * 1-5", "0 0 29 2 *")
SHORT_FORM = ("Europe/Berlin", "Australia/Lord_Howe")
A_FEW = ("30 2 * * *", "0,30 0-3 * * *", "*/20 0-3 * * *")


def backwards(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    schedule = Schedule(expressions=(expression,), time_zone=zone)
    return list(takewhile(lambda moment: moment >= start, moments_until(schedule, end)))


def changes(every: bool) -> Iterator[tuple[str, datetime]]:
    for zone in zones_once():
        found = [instant for instant, _ in clock_changes(zone, *TEN_YEARS)]
        yield from ((zone, instant) for instant in (found if every else one_of_each_change(zone, *TEN_YEARS)))
    for zone, year in ODD_YEARS.items():
        ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        yield from ((zone, instant) for instant in one_of_each_change(zone, *ends))


def check_around_changes(*, every: bool) -> None:
    for zone, change in changes(every):
        window = change - AROUND, change + AROUND
        for expression in (*FIXED, *FOLLOWING):
            said = our_moments(expression, zone, *window)
            assert said == debian_moments(expression, zone, *window), f"{expression} in {zone} around {change}"


def test_around_each_kind_of_change_of_each_clock() -> None:
    check_around_changes(every=False)


@pytest.mark.soak
def test_around_every_change_of_ten_years_in_every_zone() -> None:
    check_around_changes(every=True)


@pytest.mark.parametrize("zone", SHORT_FORM)
def test_over_ten_years(zone: str) -> None:
    for expression in OVER_THE_YEARS:
        assert our_moments(expression, zone, *TEN_YEARS) == debian_moments(expression, zone, *TEN_YEARS), expression


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_over_ten_years_in_every_zone() -> None:
    for zone in zones_once():
        for expression in (*FIXED, *FOLLOWING, *OVER_THE_YEARS, *RARE):
            expected = debian_moments(expression, zone, *TEN_YEARS)
            assert our_moments(expression, zone, *TEN_YEARS) == expected, f"{expression} in {zone}"


def test_backwards_the_moments_are_the_same() -> None:
    for zone, year in {**ODD_YEARS, "Europe/Berlin": 2026, "Australia/Lord_Howe": 2026}.items():
        ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        for change in one_of_each_change(zone, *ends):
            for expression in A_FEW:
                for hours in range(-4, 6):  # from before, within and after what the change repeats
                    start, end = change - AROUND, change + hours * HOUR + 17 * MINUTE
                    assert backwards(expression, zone, start, end)[::-1] == our_moments(
                        expression, zone, start, end + MINUTE
                    ), f"{expression} in {zone}"


def test_onwards_the_moments_do_not_depend_on_where_one_begins() -> None:
    for zone, year in {**ODD_YEARS, "Europe/Berlin": 2026, "Australia/Lord_Howe": 2026}.items():
        ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        for change in one_of_each_change(zone, *ends):
            for expression in A_FEW:
                end = change + AROUND
                every = our_moments(expression, zone, change - AROUND, end)
                for minutes in range(-8 * 60, 4 * 60, 30):
                    start = change + minutes * MINUTE
                    later = [each for each in every if each >= start]
                    assert our_moments(expression, zone, start, end) == later, f"{expression} in {zone} from {start}"
