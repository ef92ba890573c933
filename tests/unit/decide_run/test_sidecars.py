"""A container that somebody put beside a job: it does not hold node and GPU once the job's result is known."""

import pytest

from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator
from unit.decide_run.runs_at_work import apply_run, control_jobs, read_condition


def finish_beside_a_sidecar(cluster: ModelCluster, pod: Object) -> None:
    cluster.finish(pod)
    there = cluster.objects["Pod", pod["metadata"]["name"]]
    states = [*there["status"]["containerStatuses"], {"name": "mesh", "state": {"running": {}}}]
    cluster.put({**there, "status": {**there["status"], "phase": "Running", "containerStatuses": states}})


def pass_time(cluster: ModelCluster, operator: ModelOperator, seconds: float) -> None:
    cluster.advance_clock(seconds)
    for _ in range(12):
        operator.rest("churn-1")
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            if "containerStatuses" not in pod["status"]:
                finish_beside_a_sidecar(cluster, pod)
        for deployment in cluster.of("Deployment"):
            cluster.roll_out(deployment)


@pytest.fixture
def finished() -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = apply_run()
    pass_time(cluster, operator, 0)
    assert read_condition(cluster)[0] == "True"
    return cluster, operator


def test_a_job_whose_pod_goes_on_beyond_its_result_is_ended_a_minute_later(
    finished: tuple[ModelCluster, ModelOperator],
) -> None:
    cluster, operator = finished
    assert len(cluster.of("Job")) == 3
    decision = operator.rest("churn-1")
    assert decision.requeue_after == 60

    pass_time(cluster, operator, 61)

    assert cluster.of("Job") == []
    assert read_condition(cluster)[0] == "True"


def test_a_job_whose_pods_have_ended_is_kept(finished: tuple[ModelCluster, ModelOperator]) -> None:
    cluster, operator = finished
    for pod in cluster.of("Pod"):
        cluster.put({**pod, "status": {**pod["status"], "phase": "Succeeded"}})

    pass_time(cluster, operator, 61)

    assert len(cluster.of("Job")) == 3
