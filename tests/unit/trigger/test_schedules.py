"""A schedule is one sequence of moments: of several expressions and explicit moments, each moment once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.trigger.schedule import (
    Schedule,
    delay_within,
    last_moment,
    moments_after,
    moments_between,
    next_moment,
)

DAY = timedelta(days=1)
MANY = 10**6


def on(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


instants = st.integers(0, 40 * 24 * 3600).map(lambda seconds: on(1) + timedelta(seconds=seconds))
schedules = st.builds(
    Schedule,
    expressions=st.lists(st.sampled_from(["0 */6 * * *", "0 12 * * *", "30 2 1,15 * 3"]), max_size=3).map(tuple),
    moments=st.lists(instants, max_size=4).map(tuple),
    time_zone=st.sampled_from(["Etc/UTC", "America/New_York"]),
)


def test_what_two_expressions_and_a_moment_name_alike_is_one_moment() -> None:
    schedule = Schedule(expressions=("0 */6 * * *", "0 12 * * *"), moments=(on(1, 12), on(1, 13)))

    assert moments_between(schedule, on(1), on(2), MANY) == [on(1, 6), on(1, 12), on(1, 13), on(1, 18), on(2)]


def test_the_end_of_an_interval_belongs_to_it_and_its_beginning_does_not() -> None:
    assert moments_between(Schedule(expressions=("@hourly",)), on(1, 3), on(1, 5), MANY) == [on(1, 4), on(1, 5)]


def test_no_more_moments_are_looked_for_than_are_wanted() -> None:
    assert len(moments_between(Schedule(expressions=("* * * * *",)), on(1), on(1) + 36_500 * DAY, 20)) == 20


def test_a_schedule_whose_moments_are_over_has_a_last_one_and_no_next() -> None:
    schedule = Schedule(moments=(on(1), on(2)))

    assert next_moment(schedule, on(2)) is None
    assert last_moment(schedule, on(2)) == on(2)
    assert last_moment(schedule, on(1) - DAY) is None


@given(schedules, instants, instants, instants)
def test_intervals_side_by_side_have_the_moments_of_both(
    schedule: Schedule, one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    both = moments_between(schedule, first, middle, MANY) + moments_between(schedule, middle, last, MANY)

    assert both == moments_between(schedule, first, last, MANY)
    assert both == sorted(set(both))


@given(schedules, instants)
def test_between_the_last_moment_and_the_next_there_is_none(schedule: Schedule, instant: datetime) -> None:
    last, following = last_moment(schedule, instant), next_moment(schedule, instant)

    assert last is None or last <= instant
    assert following is None or following > instant
    if last is not None:
        assert next(moments_after(schedule, last), None) == following


@given(st.uuids().map(str), st.integers(0, 10**6))
def test_the_delay_of_a_trigger_is_a_part_of_the_jitter_and_always_the_same(uid: str, seconds: int) -> None:
    jitter = timedelta(seconds=seconds)
    delay = delay_within(jitter, uid)

    assert timedelta(0) <= delay < jitter or (delay == jitter == timedelta(0))
    assert delay == delay_within(jitter, uid)


def test_many_triggers_are_spread_over_the_jitter() -> None:
    delays = [delay_within(timedelta(minutes=10), f"uid-{number}") for number in range(1000)]
    tenths = [sum(delay // timedelta(minutes=1) == minute for delay in delays) for minute in range(10)]

    assert sum(tenths) == 1000
    assert min(tenths) > 60
