"""The operator dies after its k-th write, for every k of a full run: the end is the same each time."""

import re
from contextlib import suppress
from typing import Any

from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import OperatorKilled, advance, settle
from unit.decide_run.runs_at_work import apply_run


def end_of_a_run_that_is_killed_after(writes: int | None) -> tuple[ModelCluster, bool]:
    """Return how it all is in the end, and whether the operator died on the way."""
    cluster, operator = apply_run()
    operator.lives = 10**9 if writes is None else writes
    died = False
    for _ in range(40):
        try:
            operator.rest("churn-1")
        except OperatorKilled:
            operator, died = operator.restart(), True
        if cluster.objects["PipelineRun", "churn-1"].get("status", {}).get("completionTime"):
            break
        advance(cluster)
    settle(cluster, operator)
    return cluster, died


def seen(cluster: ModelCluster) -> dict[tuple[str, str], Any]:
    """Return all that is in the cluster but uids, versions, times and the pods, whose names nobody chooses."""
    return {key: _lasting(each) for key, each in cluster.objects.items() if key[0] != "Pod"}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        gone = ("uid", "resourceVersion", "creationTimestamp")
        return {name: _lasting(each) for name, each in value.items() if name not in gone}
    if isinstance(value, list | tuple):
        return [_lasting(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"2026-03-01T[0-9:]+Z", "then", value)
    return value


def test_the_end_is_the_same_wherever_it_dies() -> None:
    whole, _ = end_of_a_run_that_is_killed_after(None)
    expected = seen(whole)
    kinds = {kind for kind, _ in expected}
    assert kinds >= {"Job", "ConfigMap", "ControllerRevision", "Model", "Deployment", "Service"}

    writes = 0
    while True:
        cluster, died = end_of_a_run_that_is_killed_after(writes)
        assert seen(cluster) == expected, f"killed after write {writes}"
        assert cluster.computed == whole.computed
        if not died:
            break
        writes += 1
    assert writes > 25


def test_operators_that_each_live_for_one_write_come_to_the_end_of_two_runs() -> None:
    """What is written anew each time, as with the moment in it, would be all that they ever write."""
    cluster, operator = apply_run()
    for name in ("churn-1", "churn-2"):
        if name == "churn-2":
            cluster.put(examples.run(name, "1e9d7c1a-0000-4000-8000-000000000002", cluster.time))
        for _ in range(200):
            operator.lives = 1
            with suppress(OperatorKilled):
                operator.rest(name)
                advance(cluster)
            operator = operator.restart()
            cluster.advance_clock(1)
            if cluster.objects["PipelineRun", name].get("status", {}).get("completionTime"):
                break
        else:
            raise AssertionError(cluster.objects["PipelineRun", name]["status"])
        served = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]
        assert served["selectedBy"] == name
