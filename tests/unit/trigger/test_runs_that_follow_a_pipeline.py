"""A change of a Pipeline starts a run where it matters to a job of the run, and no other change does."""

from datetime import timedelta
from typing import Any

import pytest

from unit.trigger.trigger_cluster import OperatorKilled, TriggerCluster, TriggerOperator

SPEC: dict[str, Any] = {
    "dataset": {"inputs": [{"name": "rows", "uri": "s3://lake/rows.csv"}], "target": {"column": "y"}},
    "training": {"scoring": {"name": "accuracy"}, "algorithms": [{"name": "tree", "estimator": "sklearn.tree.T"}]},
}


def start_with(**spec: Any) -> tuple[TriggerCluster, TriggerOperator]:
    cluster = TriggerCluster()
    cluster.apply_pipeline(**SPEC)
    cluster.apply_trigger(pipeline={}, **spec)
    operator = TriggerOperator(cluster)
    operator.settle()
    return cluster, operator


def changed(**spec: Any) -> dict[str, Any]:
    return SPEC | spec


MATTERS = changed(training=SPEC["training"] | {"keep": 3})
ELSEWHERE = changed(description="Another text.", retention={"runs": 3}, jobs=[{"name": "training", "timeout": "2h"}])


def test_the_first_that_is_seen_is_no_change_whichever_was_applied_first() -> None:
    cluster, operator = start_with()
    assert cluster.created == []

    late = TriggerCluster()
    late.apply_trigger(pipeline={})
    operator = TriggerOperator(late)
    operator.settle()
    late.apply_pipeline(**SPEC)
    operator.settle()
    assert late.created == []


def test_a_change_that_matters_starts_a_run_once() -> None:
    cluster, operator = start_with()
    cluster.apply_pipeline(generation=2, **MATTERS)
    operator.settle()
    assert len(cluster.created) == 1
    assert cluster.reasons() == [("Fired", "PipelineChanged")]
    cluster.finish(cluster.created[0])
    operator.wait(3600)
    TriggerOperator(cluster).settle()
    assert len(cluster.created) == 1


@pytest.mark.parametrize(
    ("jobs", "spec", "fires"),
    [
        ([], ELSEWHERE, False),
        (["dataset"], MATTERS, False),
        (["training"], MATTERS, True),
        (["dataset"], changed(dataset=SPEC["dataset"] | {"query": "select * from rows"}), True),
        (["training"], changed(jobs=[{"name": "training", "image": "mine:2"}]), True),
        (["dataset"], changed(jobs=[{"name": "training", "image": "mine:2"}]), False),
    ],
)
def test_a_change_matters_to_the_jobs_that_read_it(jobs: list[str], spec: dict[str, Any], fires: bool) -> None:
    cluster, operator = start_with(run={"jobs": [{"name": job} for job in jobs]})
    cluster.apply_pipeline(generation=2, **spec)
    operator.settle()
    assert len(cluster.created) == fires


def test_a_change_waits_for_the_live_run_and_one_that_is_taken_back_starts_nothing() -> None:
    cluster, operator = start_with()
    cluster.apply_pipeline(generation=2, **MATTERS)
    operator.settle()
    cluster.apply_pipeline(generation=3, **SPEC)
    operator.settle()
    assert len(cluster.created) == 1
    cluster.apply_pipeline(generation=4, **MATTERS)
    cluster.finish(cluster.created[0])
    operator.settle()
    assert len(cluster.created) == 1

    cluster.apply_pipeline(generation=5, **SPEC)
    operator.settle()
    assert len(cluster.created) == 2


def test_a_change_while_it_is_suspended_starts_nothing_after() -> None:
    cluster, operator = start_with(suspend=True)
    cluster.apply_pipeline(generation=2, **MATTERS)
    operator.settle()
    cluster.apply_trigger(pipeline={})
    operator.settle()
    assert cluster.created == []


def test_a_lost_status_is_found_again_from_the_newest_run() -> None:
    cluster, operator = start_with()
    cluster.apply_pipeline(generation=2, **MATTERS)
    operator.settle()
    cluster.finish(cluster.created[0])
    cluster.lose_status()
    cluster.apply_pipeline(generation=3, **SPEC)
    TriggerOperator(cluster).settle()
    assert len(cluster.created) == 2


def test_an_operator_killed_before_any_write_runs_a_change_once() -> None:
    writes, died = 0, True
    while died:
        died = False
        cluster, operator = start_with(concurrencyPolicy="Allow")
        operator.lives = writes
        for generation, spec in ((2, MATTERS), (3, SPEC)):
            cluster.now += timedelta(seconds=5)
            cluster.apply_pipeline(generation=generation, **spec)
            try:
                operator.settle()
            except OperatorKilled:
                died, operator = True, TriggerOperator(cluster)
                if writes % 2:
                    operator.settle()
        operator.settle()
        assert len(cluster.created) == len(set(cluster.created)) == cluster.counts()[0]
        writes += 1
