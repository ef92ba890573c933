"""Clusters with a run at some point of its life, and what is asked of them."""

from typing import Any

from penstock.decide.objects.children import STEP
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator

TESTED = [{"name": name} for name in ("dataset", "training", "testing")]


def apply_run(run: Object | None = None, pipeline: Object | None = None) -> tuple[ModelCluster, ModelOperator]:
    cluster = ModelCluster()
    cluster.put(pipeline or examples.pipeline())
    cluster.put(run or examples.run())
    return cluster, ModelOperator(cluster)


def advance_to_pod(run: Object | None = None, part: str = "dataset") -> tuple[ModelCluster, ModelOperator]:
    """Return a cluster in which the pod of that part is there, and has not begun."""
    cluster, operator = apply_run(run)
    for _ in range(10):
        operator.rest("churn-1")
        for job in cluster.of("Job"):
            cluster.control(job)
        (pod,) = cluster.live_pods()
        if pod["metadata"]["labels"][STEP] == part:
            return cluster, operator
        cluster.finish(pod)
    raise AssertionError(part)


def pod_of(cluster: ModelCluster) -> Object:
    (pod,) = cluster.live_pods()
    return pod


def read_condition(cluster: ModelCluster, operator: ModelOperator | None = None) -> tuple[str, str, str]:
    """Return status, reason and message of the run's condition, after the operator has come to rest."""
    if operator is not None:
        operator.rest("churn-1")
    status = cluster.objects["PipelineRun", "churn-1"]["status"]
    found = next(each for each in status["conditions"] if each["type"] == "Succeeded")
    return found["status"], found["reason"], found["message"]


def step(cluster: ModelCluster, name: str) -> dict[str, Any]:
    steps = cluster.objects["PipelineRun", "churn-1"]["status"]["steps"]
    return next(each for each in steps if each["name"] == name)


def control_jobs(cluster: ModelCluster) -> None:
    for job in cluster.of("Job"):
        cluster.control(job)
