"""Every moment is fired or counted as missed, exactly once, however long nobody looked."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.decide.trigger import missed
from penstock.decide.trigger.missed import CatchUp, CatchUpPolicy, DueAndMissed, due_and_missed
from penstock.decide.trigger.schedule import Schedule, moments_between

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the clock of Berlin goes back in the night that comes
NIGHTLY = Schedule(expressions=("0 3 * * *",), time_zone="Etc/UTC")
EVERY_MINUTE = Schedule(expressions=("* * * * *",))

schedules = st.builds(
    Schedule,
    expressions=st.lists(
        st.sampled_from(["*/20 * * * *", "30 2 * * *", "0 * * * *", "0,30 1-3 * * *", "@daily", "0 3 * * 1"]),
        max_size=3,
    ).map(tuple),
    moments=st.lists(st.integers(-3000, 6000).map(lambda minutes: START + minutes * MINUTE / 3), max_size=5).map(tuple),
    time_zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Etc/UTC"]),
    delay=st.integers(0, 3600).map(lambda seconds: timedelta(seconds=seconds)),
)
catch_ups = st.builds(
    CatchUp,
    policy=st.sampled_from(["None", "Last", "All"]),
    limit=st.integers(1, 5),
    starting_deadline=st.sampled_from([timedelta(seconds=10), HOUR, 6 * HOUR, 3 * DAY]),
)
# From seconds, as an operator at work, to outages of days; and a clock that is put back.
pauses = st.lists(
    st.one_of(st.integers(0, 90), st.integers(-600, 7200), st.integers(0, 400_000)).map(
        lambda seconds: timedelta(seconds=seconds)
    ),
    min_size=1,
    max_size=12,
)


def looks(
    schedule: Schedule, catch_up: CatchUp, steps: list[timedelta]
) -> list[tuple[datetime, datetime, DueAndMissed]]:
    """Look after each pause, from the baseline that the look before gave; with the baseline and the time of each."""
    baseline = now = START
    found = []
    for pause in steps:
        now += pause
        look = due_and_missed(schedule, catch_up, baseline, now)
        found.append((baseline, now, look))
        baseline = look.baseline
    return found


@given(schedules, catch_ups, pauses)
def test_over_any_looks_each_moment_is_due_or_missed_exactly_once(
    schedule: Schedule, catch_up: CatchUp, steps: list[timedelta]
) -> None:
    found = looks(schedule, catch_up, steps)

    latest = max(now for _, now, _ in found) - schedule.delay
    every = moments_between(schedule, START, latest, 10**6) if latest > START else []
    due = [moment for _, _, look in found for moment in look.due]
    assert due == sorted(set(due))
    assert set(due) <= set(every)
    assert len(due) + sum(look.missed_count for _, _, look in found) == len(every)
    assert all(look.is_exact for _, _, look in found)


@given(schedules, catch_ups, pauses)
def test_each_look_accounts_for_all_moments_since_its_baseline(
    schedule: Schedule, catch_up: CatchUp, steps: list[timedelta]
) -> None:
    for baseline, now, look in looks(schedule, catch_up, steps):
        every = moments_between(schedule, baseline, max(now - schedule.delay, baseline), 10**6)
        named = [each.moment for each in look.last_missed]
        assert look.missed_count == len(every) - len(look.due)
        assert named == [each for each in every if each not in look.due][-missed.MOST_LISTED :]
        assert look.baseline == (every[-1] if every else baseline)


@given(schedules, catch_ups, pauses)
def test_nothing_fires_early_or_past_its_starting_deadline(
    schedule: Schedule, catch_up: CatchUp, steps: list[timedelta]
) -> None:
    for _, now, look in looks(schedule, catch_up, steps):
        for moment in look.due:
            assert timedelta(0) <= now - (moment + schedule.delay) <= catch_up.starting_deadline
        assert look.next_moment is None or look.next_moment + schedule.delay > now


@given(schedules, catch_ups)
def test_whoever_looks_at_each_moment_fires_each(schedule: Schedule, catch_up: CatchUp) -> None:
    baseline, now = START, START
    for _ in range(20):
        look = due_and_missed(schedule, catch_up, baseline, now)
        assert look.missed_count == 0
        if look.next_moment is None:
            return
        baseline, now = look.baseline, look.next_moment + schedule.delay
        assert due_and_missed(schedule, catch_up, baseline, now).due == (look.next_moment,)


def at(*, day: int, hour: int = 3, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def after_an_outage(
    policy: CatchUpPolicy, now: datetime, limit: int = 10, deadline: timedelta = 4 * DAY
) -> DueAndMissed:
    """Look at the nightly schedule after it was looked at last on the first, when its moment was dealt with."""
    return due_and_missed(NIGHTLY, CatchUp(policy=policy, limit=limit, starting_deadline=deadline), at(day=1), now)


@pytest.mark.parametrize(
    ("policy", "due"), [("None", []), ("Last", [at(day=4)]), ("All", [at(day=2), at(day=3), at(day=4)])]
)
def test_what_was_missed_fires_as_the_policy_says(policy: CatchUpPolicy, due: list[datetime]) -> None:
    look = after_an_outage(policy, at(day=4, hour=5))

    assert list(look.due) == due
    assert look.missed_count == 3 - len(due)
    assert look.next_moment == at(day=5)


@pytest.mark.parametrize("policy", ["None", "Last", "All"])
def test_a_moment_that_is_seen_within_a_minute_fires_under_each_policy(policy: CatchUpPolicy) -> None:
    assert after_an_outage(policy, at(day=2) + timedelta(seconds=59)).due == (at(day=2),)


def test_last_is_the_newest_moment_also_where_that_is_on_time() -> None:
    look = after_an_outage("Last", at(day=4))

    assert look.due == (at(day=4),)
    assert [each.moment for each in look.last_missed] == [at(day=2), at(day=3)]


def test_all_fires_the_newest_of_the_late_ones_up_to_its_limit() -> None:
    look = after_an_outage("All", at(day=6, hour=5), limit=2, deadline=30 * DAY)

    assert look.due == (at(day=5), at(day=6))
    assert [each.moment for each in look.last_missed] == [at(day=2), at(day=3), at(day=4)]
    assert {each.sentence for each in look.last_missed} == {
        "There were more to catch up with than catchUpLimit (2) allows."
    }


def test_a_missed_moment_says_why() -> None:
    too_late = after_an_outage("All", at(day=3, hour=5), deadline=3 * HOUR)
    not_the_last = after_an_outage("Last", at(day=3, hour=5))
    none = after_an_outage("None", at(day=2, hour=5))

    assert [each.sentence for look in (too_late, not_the_last, none) for each in look.last_missed] == [
        "It was over for longer than startingDeadline allows.",
        "A later moment was there as well, and catchUp is Last.",
        "It was missed, and catchUp is None.",
    ]


def test_nothing_fires_twice_when_the_clock_is_put_back() -> None:
    look = after_an_outage("All", at(day=2, hour=4))
    again = due_and_missed(
        NIGHTLY, CatchUp(policy="All", limit=10, starting_deadline=DAY), look.baseline, at(day=2, hour=2)
    )

    assert (again.due, again.missed_count) == ((), 0)
    assert again.next_moment == at(day=3)


def test_a_year_of_every_minute_is_counted_as_more_than_so_many() -> None:
    catch_up = CatchUp(policy="All", limit=3, starting_deadline=HOUR)
    look = due_and_missed(EVERY_MINUTE, catch_up, START, START + 365 * DAY)

    assert not look.is_exact
    assert look.missed_count + len(look.due) == missed.MOST_COUNTED + catch_up.limit
    assert look.baseline == START + 365 * DAY
    assert all(late - early == MINUTE for early, late in pairwise(look.due))


def test_the_delay_of_the_jitter_changes_when_a_moment_fires_and_not_which_it_is() -> None:
    delayed = Schedule(expressions=NIGHTLY.expressions, delay=10 * MINUTE)
    catch_up = CatchUp(policy="Last", limit=1, starting_deadline=HOUR)

    before = due_and_missed(delayed, catch_up, at(day=1), at(day=2, minute=9))
    after = due_and_missed(delayed, catch_up, at(day=1), at(day=2, minute=10))

    assert (before.due, before.next_moment) == ((), at(day=2))
    assert (after.due, after.next_moment) == ((at(day=2),), at(day=3))
