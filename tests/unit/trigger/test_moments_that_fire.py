"""Each moment has its run once, or it is said why not: whenever the operator is down, killed, or behind."""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from unit.trigger.trigger_cluster import (
    BEGIN,
    EVERY_HOUR,
    EVERY_MINUTE,
    OperatorKilled,
    TriggerCluster,
    TriggerOperator,
    start,
)


def test_a_moment_makes_its_run_once() -> None:
    cluster, operator = start(**EVERY_MINUTE)
    assert cluster.moments() == []
    assert cluster.status()["nextScheduleTime"] == "2026-03-01T12:01:00Z"

    operator.wait(60)

    assert cluster.moments() == ["2026-03-01T12:01:00Z"]
    assert cluster.counts() == (1, 0, 0)
    assert cluster.status()["lastScheduleTime"] == "2026-03-01T12:01:00Z"
    assert cluster.status()["lastRun"] == cluster.created[0]
    assert cluster.ready() == ("True", "Active")


def test_the_run_says_what_made_it_and_is_owned_by_the_trigger() -> None:
    cluster, operator = start(**EVERY_MINUTE, run={"jobs": [{"name": "testing"}]})
    operator.wait(60)

    run, trigger = cluster.runs()[0], cluster.trigger()
    assert run["spec"]["trigger"] == {
        "name": "nightly",
        "uid": trigger["metadata"]["uid"],
        "generation": 1,
        "scheduledTime": "2026-03-01T12:01:00Z",
    }
    assert run["spec"]["jobs"] == [{"name": "testing"}]
    assert run["metadata"]["ownerReferences"][0]["uid"] == trigger["metadata"]["uid"]
    assert run["metadata"]["labels"]["penstock.dev/pipeline"] == "churn"


def test_parameters_come_from_the_moment() -> None:
    day_before = {"name": "asOf", "expression": "scheduledTime - duration('24h')"}
    cluster, operator = start(**EVERY_MINUTE, parameters=[day_before, {"name": "region", "value": "north"}])
    operator.wait(60)

    assert cluster.runs()[0]["spec"]["parameters"] == [
        {"name": "asOf", "value": "2026-02-28T12:01:00Z"},
        {"name": "region", "value": "north"},
    ]


def test_a_moment_that_was_missed_fires_within_the_starting_deadline() -> None:
    cluster, _ = start(**EVERY_HOUR)
    cluster.now = datetime(2026, 3, 1, 13, 20, tzinfo=UTC)
    TriggerOperator(cluster).settle()
    assert cluster.moments() == ["2026-03-01T13:00:00Z"]
    assert cluster.counts() == (1, 0, 0)

    cluster.now = datetime(2026, 3, 1, 16, 20, tzinfo=UTC)
    cluster.finish(cluster.created[0])
    TriggerOperator(cluster).settle()
    assert cluster.moments() == ["2026-03-01T13:00:00Z", "2026-03-01T16:00:00Z"]
    assert cluster.counts() == (2, 0, 2)


def test_an_outage_beyond_the_starting_deadline_fires_nothing_and_says_so() -> None:
    cluster, _ = start(**EVERY_HOUR, startingDeadline="10m")
    cluster.now = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    TriggerOperator(cluster).settle()
    assert cluster.created == []
    assert cluster.counts() == (0, 0, 3)
    assert cluster.reasons() == [("Missed", "Missed")] * 3


def test_catching_up_with_all_lets_them_go_one_after_the_other_under_forbid() -> None:
    all_of_them = {"cron": ["@hourly"], "catchUp": "All"}
    cluster, _ = start(schedule=all_of_them, startingDeadline="1d")
    cluster.now = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    operator = TriggerOperator(cluster)
    operator.settle()
    assert len(cluster.created) == 3
    assert cluster.counts() == (3, 0, 0)

    began = []
    while cluster.live():
        (one,) = cluster.live()
        began.append(one)
        cluster.finish(one)
        operator.settle()
    assert began == [run["metadata"]["name"] for run in cluster.runs()]
    assert cluster.counts() == (3, 0, 0)


def test_a_run_of_a_moment_that_a_person_lets_begin_or_cancels_is_decided() -> None:
    cluster, _ = start(schedule={"cron": ["@hourly"], "catchUp": "All"}, startingDeadline="1d")
    cluster.now = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    operator = TriggerOperator(cluster)
    operator.settle()
    for run, change in zip(cluster.runs()[1:], ({"cancel": True}, {"suspend": False}), strict=True):
        cluster.api.put(run | {"spec": run["spec"] | change})
    operator.settle()
    assert not any("penstock.dev/trigger-awaited" in run["metadata"]["labels"] for run in cluster.runs())
    assert cluster.counts() == (3, 0, 0)


def test_catching_up_with_all_is_refused_where_no_run_would_read_otherwise() -> None:
    cluster = TriggerCluster()
    dataset = {"inputs": [{"name": "rows", "uri": "s3://lake/rows.csv"}], "target": {"column": "y"}}
    cluster.apply_pipeline(dataset=dataset)
    cluster.apply_trigger(schedule={"cron": ["@hourly"], "catchUp": "All"})
    operator = TriggerOperator(cluster)
    operator.settle()
    assert cluster.ready() == ("False", "ScheduledTimeUnused")

    dataset["inputs"][0]["uri"] = "s3://lake/{scheduledTime}/rows.csv"  # type: ignore[index]
    cluster.apply_pipeline(dataset=dataset, generation=2)
    operator.settle()
    assert cluster.ready() == ("True", "Active")


def test_a_trigger_whose_moments_are_over_says_so() -> None:
    cluster, operator = start(schedule={"moments": ["2026-03-01T12:00:45Z"]})
    operator.wait(20)
    assert cluster.moments() == ["2026-03-01T12:00:45Z"]
    assert cluster.ready() == ("True", "NoMoreMoments")


def test_a_quota_keeps_the_moment_for_later() -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.quota = 0
    operator.wait(3600)
    assert cluster.counts() == (0, 0, 0)
    assert cluster.ready() == ("False", "QuotaExceeded")
    operator.quota = 1
    operator.wait(60)
    assert cluster.counts() == (1, 0, 0)
    assert cluster.ready() == ("True", "Active")


def test_five_hundred_triggers_of_the_same_minute_each_have_their_run() -> None:
    cluster = TriggerCluster()
    for number in range(500):
        cluster.apply_trigger(f"trigger-{number}", **EVERY_HOUR)
    operator = TriggerOperator(cluster)
    operator.settle()
    cluster.now += timedelta(seconds=3600)
    operator.settle()
    assert len(cluster.created) == len(set(cluster.created)) == 500
    assert {cluster.counts(f"trigger-{number}") for number in range(500)} == {(1, 0, 0)}


def test_an_operator_killed_after_any_write_makes_and_counts_each_run_once() -> None:
    def end_after(writes: int) -> tuple[object, bool]:
        cluster, operator = start(**EVERY_MINUTE, concurrencyPolicy="Allow", historyLimits={"succeeded": 2})
        operator.lives, died = writes, False
        for _ in range(4):
            cluster.now += timedelta(seconds=60)
            for name in cluster.live():
                cluster.finish(name)
            try:
                operator.settle()
            except OperatorKilled:
                died, operator = True, TriggerOperator(cluster)
                operator.settle()
        assert len(cluster.created) == len(set(cluster.created))
        return (cluster.created, cluster.moments(), cluster.counts(), cluster.reasons()), died

    expected, _ = end_after(10**9)
    writes = 0
    while True:
        found, died = end_after(writes)
        assert found == expected, f"killed before write {writes}"
        if not died:
            break
        writes += 1
    assert writes >= 9


ACTIONS = st.one_of(
    st.tuples(st.just("work"), st.integers(1, 200)),
    st.tuples(st.just("outage"), st.integers(1, 4000)),
    st.tuples(st.just("die"), st.integers(0, 6)),
    st.tuples(st.just("finish"), st.integers(0, 3)),
    st.tuples(st.just("lose"), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 3)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ACTIONS, max_size=12),
    st.sampled_from(["Allow", "Forbid", "Replace"]),
    st.sampled_from(["None", "Last", "All"]),
    st.sampled_from(["2m", "30m"]),
)
def test_each_moment_has_one_run_or_is_counted_otherwise(
    actions: list[tuple[str, int]], policy: str, catch_up: str, deadline: str
) -> None:
    schedule = {"cron": ["*/3 * * * *"], "catchUp": catch_up}
    cluster, operator = start(schedule=schedule, concurrencyPolicy=policy, startingDeadline=deadline)
    lost = deleted = False
    for action, number in actions:
        match action:
            case "work":
                operator.wait(number)
            case "outage":
                cluster.now += timedelta(seconds=number)
                operator = TriggerOperator(cluster)
            case "die":
                operator.lives = number
                try:
                    operator.wait(200)
                except OperatorKilled:
                    operator = TriggerOperator(cluster)
                operator.lives = 10**9
            case "finish" if cluster.live():
                cluster.finish(cluster.live()[number % len(cluster.live())])
            case "lose" if not deleted:  # where both are gone, nobody can know of that run
                operator.settle()
                cluster.lose_status()
                lost = True
            case "delete" if cluster.live() and not lost:
                operator.settle()
                deleted = True
                cluster.delete("pipelineruns", cluster.live()[0])
    operator.settle()

    assert len(cluster.created) == len(set(cluster.created)), "a moment has two runs"
    if not lost:
        fired, skipped, missed = cluster.counts()
        assert fired == len(cluster.created)
        first = BEGIN.replace(second=0)
        assert fired + skipped + missed == int((cluster.now - first).total_seconds()) // 180
