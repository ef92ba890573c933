"""What a run that has ended leaves in the API server: its history, and nothing that only its Jobs needed."""

import json
from collections.abc import Callable

import pytest

from penstock.decide.objects.children import STEP
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of
from unit.decide_run.test_sidecars import pass_time

LONG_AFTER = 90000  # seconds: Jobs, and the logs of their pods, are kept for a day
MOST_BYTES = 12_000  # of JSON, of the smallest Pipeline that there is
_OF_THE_PIPELINE = ("Pipeline", "Deployment", "Service")


def specifications(cluster: ModelCluster) -> list[Object]:
    return [each for each in cluster.of("ConfigMap") if STEP in each["metadata"]["labels"]]


def succeed() -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = apply_run()
    settle(cluster, operator)
    return cluster, operator


def cancel() -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = advance_to_pod(part="training")
    run = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**run, "spec": {**run["spec"], "cancel": True}})
    operator.rest("churn-1")
    cluster.vanish(pod_of(cluster))
    operator.rest("churn-1")
    return cluster, operator


def fail() -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = advance_to_pod(part="training")
    cluster.end(pod_of(cluster), 2)
    control_jobs(cluster)
    operator.rest("churn-1")
    return cluster, operator


@pytest.mark.parametrize("end", [succeed, fail, cancel])
def test_what_its_jobs_were_asked_to_do_goes_with_the_end_of_a_run(
    end: Callable[[], tuple[ModelCluster, ModelOperator]],
) -> None:
    cluster, operator = end()
    operator.rest("churn-1")

    assert cluster.objects["PipelineRun", "churn-1"]["status"]["completionTime"]
    assert specifications(cluster) == []


def test_it_stays_while_a_job_goes_on_whose_pod_may_be_made_again() -> None:
    cluster, operator = apply_run()
    pass_time(cluster, operator, 0)  # each pod has a sidecar, which goes on

    assert cluster.objects["PipelineRun", "churn-1"]["status"]["completionTime"]
    assert len(specifications(cluster)) == 3

    pass_time(cluster, operator, 61)

    assert specifications(cluster) == []


def test_a_run_that_ended_long_ago_leaves_itself_its_snapshot_its_results_its_files_and_its_model() -> None:
    cluster, operator = succeed()
    cluster.advance_clock(LONG_AFTER)
    operator.rest("churn-1")

    left = [each for each in cluster.objects.values() if each["kind"] not in _OF_THE_PIPELINE and not _is_served(each)]
    kinds = sorted(each["kind"] for each in left)
    assert kinds == ["ConfigMap", "ControllerRevision", "ControllerRevision", "Model", "PipelineRun"]
    assert sum(len(json.dumps(each, separators=(",", ":"))) for each in left) < MOST_BYTES


def _is_served(found: Object) -> bool:
    """Return whether the object is what the servers of the Pipeline read."""
    return "penstock.dev/revision" in (found["metadata"].get("labels") or {})
