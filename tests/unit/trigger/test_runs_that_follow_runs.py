"""A run that ends starts another one, once; runs that would start each other for ever are refused."""

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from penstock.api.decoding import require
from penstock.api.trigger import Trigger
from penstock.decide.trigger.loops import find_loop
from unit.trigger.trigger_cluster import OperatorKilled, TriggerCluster, TriggerOperator, start

AFTER_CLEANING: dict[str, Any] = {"runs": {"pipelineRef": {"name": "cleaning"}}}


def end(cluster: TriggerCluster, name: str, result: str = "Succeeded", **more: Any) -> None:
    cluster.now += timedelta(seconds=1)
    cluster.apply_run(name, "cleaning")
    cluster.finish(name, result, **more)


def test_the_end_of_a_run_starts_another_one_once() -> None:
    cluster, operator = start(**AFTER_CLEANING)
    end(cluster, "cleaning-1")
    operator.settle()
    (name,) = cluster.created
    assert cluster.live() == [name]
    assert cluster.run(name)["spec"]["trigger"]["event"]["source"] == "cleaning-1"
    assert cluster.reasons() == [("Fired", "RunEnded")]

    cluster.finish(name)
    operator.wait(7200)
    TriggerOperator(cluster).settle()
    assert cluster.created == [name]


def test_runs_that_ended_before_the_trigger_was_there_start_nothing() -> None:
    cluster = TriggerCluster()
    end(cluster, "cleaning-1")
    cluster.now += timedelta(seconds=1)
    cluster.apply_trigger(**AFTER_CLEANING)
    TriggerOperator(cluster).settle()
    assert cluster.created == []


def test_a_run_that_was_executed_before_it_came_back_starts_nothing() -> None:
    cluster, operator = start(**AFTER_CLEANING)
    end(cluster, "cleaning-1", reason="BegunBefore")
    operator.settle()
    assert cluster.created == []


@pytest.mark.parametrize(
    ("asked", "fires"),
    [
        ({}, False),
        ({"results": ["Failed"]}, True),
        ({"results": ["Failed"], "verdicts": ["Improved"]}, False),
        ({"results": ["Failed"], "verdicts": ["NotBetter"]}, True),
    ],
)
def test_only_what_ended_as_asked_is_an_event(asked: dict[str, Any], fires: bool) -> None:
    cluster, operator = start(runs={"pipelineRef": {"name": "cleaning"}, **asked})
    end(cluster, "cleaning-1", "Failed", verdict="NotBetter")
    operator.settle()
    assert len(cluster.created) == fires
    assert sum(cluster.counts()) == fires


def test_a_filter_skips_an_end_once() -> None:
    cluster, operator = start(**AFTER_CLEANING, filter="event.data.verdict == 'Improved'")
    end(cluster, "cleaning-1", verdict="NotBetter")
    operator.wait(3600)
    TriggerOperator(cluster).settle()
    assert cluster.reasons() == [("Skipped", "Filtered")]
    assert cluster.counts() == (0, 1, 0)


def test_a_hundred_ends_at_once_each_have_their_run() -> None:
    cluster, operator = start(**AFTER_CLEANING, concurrencyPolicy="Allow")
    for number in range(100):
        cluster.apply_run(f"cleaning-{number}", "cleaning")
    cluster.now += timedelta(seconds=1)
    for number in range(100):
        cluster.finish(f"cleaning-{number}")
    operator.settle()
    assert len(cluster.created) == len(set(cluster.created)) == 100
    assert cluster.counts() == (100, 0, 0)


def test_an_operator_killed_before_any_write_follows_each_end_once() -> None:
    writes, died = 0, True
    while died:
        died = False
        cluster, operator = start(**AFTER_CLEANING, concurrencyPolicy="Allow")
        end(cluster, "cleaning-1")
        end(cluster, "cleaning-2")
        operator.lives = writes
        try:
            operator.settle()
        except OperatorKilled:
            died = True
            TriggerOperator(cluster).settle()
        assert len(cluster.created) == len(set(cluster.created)) == 2
        assert cluster.counts() == (2, 0, 0)
        assert len(cluster.live()) == 2
        writes += 1


def test_triggers_that_start_each_others_pipelines_are_refused_and_named() -> None:
    cluster = TriggerCluster()
    cluster.apply_trigger("forth", pipelineRef={"name": "churn"}, runs={"pipelineRef": {"name": "cleaning"}})
    operator = TriggerOperator(cluster)
    operator.settle()
    assert cluster.ready("forth") == ("True", "Active")

    back = {"pipelineRef": {"name": "cleaning"}, "runs": {"pipelineRef": {"name": "churn"}}}
    cluster.apply_trigger("back", **back)
    operator.settle()
    assert cluster.ready("forth") == cluster.ready("back") == ("False", "Loop")
    end(cluster, "cleaning-1")
    operator.settle()
    assert cluster.created == []

    cluster.apply_trigger("back", **back, suspend=True)
    operator.settle()
    assert cluster.ready("forth") == ("True", "Active")


NAMES = st.sampled_from("abcde")


@settings(max_examples=200)
@given(st.lists(st.tuples(NAMES, NAMES).filter(lambda way: way[0] != way[1]), max_size=10))
def test_a_loop_is_found_exactly_where_a_pipeline_would_start_itself(ways: list[tuple[str, str]]) -> None:
    triggers = [_trigger(watched, run) for watched, run in ways]
    reached = {begin: {begin} for begin in "abcde"}
    for _ in "abcde":
        for begin in "abcde":
            reached[begin] |= {run for watched, run in ways if watched in reached[begin]}
    for watched, run in ways:
        assert bool(find_loop(require(_trigger(watched, run), Trigger), triggers)) == (watched in reached[run])


def _trigger(watched: str, run: str) -> dict[str, Any]:
    spec = {"pipelineRef": {"name": run}, "runs": {"pipelineRef": {"name": watched}}}
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": "Trigger", "metadata": {"name": "any"}, "spec": spec}
