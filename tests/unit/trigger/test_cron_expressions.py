"""What is wrong with a cron expression is said in words, and everything else is one that the library reads."""

from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.cron import SHORT_FORMS, cron_fault, five_fields
from penstock.decide.trigger.schedule import Schedule, moments_between

START = datetime(2000, 1, 1)
FIVE = "minute, hour, day of the month, month, day of the week"
NEVER = "never fires: no date is all that it asks for; correct its days or its months"

NUMBERS = st.integers(0, 70).map(str)
NAMES = st.sampled_from(["jan", "FEB", "mon", "Sun", "L", "LW", "5L", "fri#2", "MON#6", "x", "", "?", "-1", "1.5", "٣"])
SPANS = st.one_of(st.just("*"), NUMBERS, NAMES, st.tuples(NUMBERS, NUMBERS).map("-".join))
PARTS = st.one_of(SPANS, st.tuples(SPANS, st.sampled_from(["0", "1", "2", "15", "100", "x", ""])).map("/".join))
FIELDS = st.one_of(st.just("*"), st.lists(PARTS, min_size=1, max_size=3).map(",".join))
ANY_FIVE = st.lists(FIELDS, min_size=5, max_size=5).map(" ".join)


def low_to(high: int, low: int = 0) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    one = number.map(str)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 40)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return st.one_of(st.just("*"), st.lists(st.one_of(one, span, step), min_size=1, max_size=3).map(",".join))


LIKELY_FIVE = st.tuples(low_to(59), low_to(23), low_to(31, 1), low_to(12, 1), low_to(7)).map(" ".join)


def is_read_and_fires(cron: str) -> bool:
    """Return what the library makes of five fields: whether it reads them, and finds a moment."""
    try:
        return len(cron.split()) == 5 and next(CronSim(cron, START), None) is not None
    except CronSimError:
        return False


@given(st.one_of(ANY_FIVE, LIKELY_FIVE, st.text(max_size=20)))
def test_there_is_no_fault_in_exactly_what_the_library_reads(cron: str) -> None:
    if not cron.startswith("@"):
        assert (cron_fault(cron) is None) == is_read_and_fires(cron)


@given(st.one_of(ANY_FIVE, LIKELY_FIVE))
def test_what_has_no_fault_has_a_moment_within_any_forty_years(cron: str) -> None:
    if cron_fault(cron) is None:
        start, end = datetime(2071, 3, 1, tzinfo=UTC), datetime(2111, 3, 1, tzinfo=UTC)  # no 29 February in 2100
        assert moments_between(Schedule(expressions=(cron,)), start, end, 1)


@pytest.mark.parametrize(
    ("cron", "fault"),
    [
        ("0 25 * * *", "has 25 for the hour, which goes from 0 to 23; correct it"),
        ("0 3 * * 8", "has 8 for the day of the week, which goes from 0 to 7; correct it"),
        ("0 3 0 * *", "has 0 for the day of the month, which goes from 1 to 31; correct it"),
        ("0 3 1,32 * *", "has 32 for the day of the month, which goes from 1 to 31; correct it"),
        ("0 3 * * fri-mon", "has fri-mon for the day of the week, which goes from 0 to 7; correct it"),
        ("*/0 * * * *", "has */0 for the minute, which goes from 0 to 59; correct it"),
        ("1,,2 * * * *", "has 1,,2 for the minute, which goes from 0 to 59; correct it"),
        ("0 3 * *", f"has 4 fields instead of five ({FIVE}); write one as 0 3 * * *"),
        ("@reboot", f"is @reboot; write five fields, or one of {', '.join(SHORT_FORMS)}"),
        ("0 0 31 2 *", f"is 0 0 31 2 *, which {NEVER}"),
        ("0 0 30 2 *", f"is 0 0 30 2 *, which {NEVER}"),
        ("0 0 31 4,6,9,11 *", f"is 0 0 31 4,6,9,11 *, which {NEVER}"),
        ("0 0 */31 * fri#3", f"is 0 0 */31 * fri#3, which {NEVER}"),
    ],
)
def test_what_is_wrong_is_said(cron: str, fault: str) -> None:
    assert cron_fault(cron) == fault


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 29 2 */7", "0 0 31 2 1", "0 0 L 2 *", "* * * * *", *SHORT_FORMS])
def test_what_fires_now_and_then_is_right(cron: str) -> None:
    assert cron_fault(cron) is None


@pytest.mark.parametrize(("short", "fields"), SHORT_FORMS.items())
def test_a_short_form_has_the_moments_of_its_five_fields(short: str, fields: str) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
    one, other = (Schedule(expressions=(each,), time_zone="Europe/Berlin") for each in (short, fields))

    assert five_fields(short) == fields
    assert moments_between(one, start, end, 50) == moments_between(other, start, end, 50)
