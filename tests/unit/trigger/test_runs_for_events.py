"""Runs that others make for events wait for their turn; each is counted once, as what became of it."""

from datetime import timedelta
from typing import Any

import pytest

from penstock.api.run import TriggeringEvent
from penstock.decide.times import write_time
from penstock.decide.trigger.occasion import backfill, by_hand, on_event
from penstock.kubernetes.kinds import Object
from unit.trigger.trigger_cluster import EVERY_HOUR, OperatorKilled, TriggerCluster, TriggerOperator, start

BY_EVENT: dict[str, Any] = {"event": {}}


def send(cluster: TriggerCluster, *identities: str, waits: bool = True) -> list[str]:
    """Make the runs of events, a second apart, and return their names."""
    names = []
    for identity in identities:
        cluster.now += timedelta(seconds=1)
        event = TriggeringEvent(id=identity, source="shop", type="sold", time=write_time(cluster.now))
        names.append(cluster.make_run_for(on_event(event, cluster.now), waits=waits))
    return names


def is_begun(run: Object) -> bool:
    return not run["spec"].get("suspend") and run["status"]["conditions"][0]["reason"] != "Cancelled"


def work_through(cluster: TriggerCluster, operator: TriggerOperator, most: int = 100) -> list[str]:
    """Let each run that begins end, and return them in the order in which they began."""
    began: list[str] = []
    for _ in range(most):
        operator.settle()
        live = cluster.live()
        if not live:
            return began
        began += live
        for name in live:
            cluster.finish(name)
    raise AssertionError("They do not end.")


def test_each_event_has_its_run_one_after_the_other_in_their_order() -> None:
    cluster, operator = start(**BY_EVENT)
    names = send(cluster, "a", "b", "c")
    operator.settle()
    assert cluster.live() == names[:1]
    assert cluster.counts() == (1, 0, 0)
    assert cluster.ready() == ("True", "Active")

    assert work_through(cluster, operator) == names
    assert cluster.counts() == (3, 0, 0)
    assert {run["metadata"]["labels"].get("penstock.dev/trigger-awaited") for run in cluster.runs()} == {None}


def test_allow_lets_all_events_begin_at_once() -> None:
    cluster, operator = start(**BY_EVENT, concurrencyPolicy="Allow")
    names = send(cluster, *map(str, range(45)))
    operator.settle()
    assert sorted(cluster.live()) == sorted(names)
    assert cluster.counts() == (45, 0, 0)


def test_a_batch_is_the_oldest_that_waits_and_takes_all_others() -> None:
    cluster, operator = start(**BY_EVENT, delivery="Batch")
    first = send(cluster, "first")
    operator.settle()
    names = send(cluster, *map(str, range(45)))
    operator.settle()
    assert cluster.live() == first
    assert {run["metadata"]["labels"].get("penstock.dev/batch") for run in cluster.runs()} == {None, names[0]}

    assert work_through(cluster, operator) == [*first, names[0]]
    assert cluster.counts() == (2, 44, 0)
    assert ("Skipped", "Batched") in cluster.reasons()


def test_the_latest_is_run_and_those_before_it_are_cancelled() -> None:
    cluster, operator = start(**BY_EVENT, delivery="Latest")
    first = send(cluster, "first")
    operator.settle()
    names = send(cluster, "a", "b", "c")
    assert work_through(cluster, operator) == [*first, names[-1]]
    assert cluster.counts() == (2, 2, 0)


def test_replace_runs_the_newest_event_in_place_of_the_live_run() -> None:
    cluster, operator = start(**BY_EVENT, concurrencyPolicy="Replace")
    first = send(cluster, "first")
    operator.settle()
    names = send(cluster, "a", "b")
    operator.settle()
    assert cluster.run(first[0])["spec"]["cancel"] is True
    assert cluster.live() == names[-1:]
    assert cluster.counts() == (2, 1, 0)


def test_events_wait_while_the_trigger_is_suspended_and_go_on_after() -> None:
    cluster, operator = start(**BY_EVENT)
    cluster.apply_trigger(**BY_EVENT, suspend=True)
    names = send(cluster, "a")
    operator.settle()
    assert cluster.live() == []
    cluster.apply_trigger(**BY_EVENT)
    operator.settle()
    assert cluster.live() == names


def test_a_run_by_hand_begins_at_once_and_is_recorded() -> None:
    cluster, operator = start(**EVERY_HOUR)
    operator.wait(3600)
    name = cluster.make_run_for(by_hand("ada", cluster.now, "1"), waits=False)
    operator.settle()
    assert name in cluster.live()
    assert cluster.reasons() == [("Fired", "Scheduled"), ("Fired", "ByHand")]
    assert cluster.counts() == (2, 0, 0)


def test_a_backfill_goes_through_its_moments_one_after_the_other() -> None:
    cluster, operator = start(**EVERY_HOUR)
    moments = [cluster.now.replace(second=0) - timedelta(hours=hours) for hours in (3, 2, 1)]
    names = [cluster.make_run_for(backfill("ada", cluster.now, moment)) for moment in moments]
    assert work_through(cluster, operator) == names
    assert cluster.counts() == (3, 0, 0)
    operator.wait(3600)
    assert cluster.counts() == (4, 0, 0)


def test_a_run_that_is_cancelled_while_it_waits_is_said_to_be_skipped() -> None:
    cluster, operator = start(**BY_EVENT)
    names = send(cluster, "a", "b")
    operator.settle()
    waiting = cluster.run(names[1])
    cluster.api.put(waiting | {"spec": waiting["spec"] | {"cancel": True}})
    operator.settle()
    assert cluster.reasons() == [("Fired", "EventReceived"), ("Skipped", "Cancelled")]


@pytest.mark.parametrize("delivery", ["Each", "Batch", "Latest"])
@pytest.mark.parametrize("policy", ["Forbid", "Allow", "Replace"])
def test_an_operator_killed_before_any_write_counts_each_event_once(delivery: str, policy: str) -> None:
    def end_after(writes: int) -> tuple[object, bool]:
        cluster, operator = start(**BY_EVENT, delivery=delivery, concurrencyPolicy=policy)
        send(cluster, "first")
        operator.settle()
        send(cluster, "a", "b", "c")
        operator.lives, died = writes, False
        began: list[str] = []
        try:
            operator.settle()
            began += work_through(cluster, operator)
        except OperatorKilled:
            died = True
            ended = [run["metadata"]["name"] for run in cluster.runs() if run.get("status") and is_begun(run)]
            began = ended + work_through(cluster, TriggerOperator(cluster))
        return (began, cluster.counts(), cluster.reasons()), died

    expected, _ = end_after(10**9)
    writes = 0
    while True:
        found, died = end_after(writes)
        assert found == expected, f"killed before write {writes}"
        if not died:
            return
        writes += 1
