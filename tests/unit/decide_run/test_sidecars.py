"""A container that somebody put beside a job: it does not hold node and GPU once the job has ended, well or not."""

import pytest

from penstock_jobs.contract import errors
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of, read_condition, step


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


def test_a_job_that_failed_beside_a_sidecar_is_ended_a_minute_later_and_tried_again() -> None:
    cluster, operator = advance_to_pod()
    cluster.end(pod_of(cluster), errors.UNAVAILABLE, sidecar=True)
    control_jobs(cluster)
    (job,) = cluster.of("Job")
    assert operator.rest("churn-1").requeue_after == 60
    assert cluster.of("Job") == [job]

    cluster.advance_clock(60)
    operator.rest("churn-1")

    assert len(cluster.of("Job")) == 1
    assert cluster.of("Job") != [job]
    assert step(cluster, "dataset")["tries"]["failed"] == 1
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_job_that_fails_beside_a_sidecar_is_not_tried_more_often_than_it_may() -> None:
    cluster, operator = advance_to_pod()
    for _ in range(20):
        for pod in cluster.live_pods():
            if pod["status"].get("phase") == "Pending":
                cluster.end(pod, errors.UNAVAILABLE, sidecar=True)
        cluster.advance_clock(100)
        operator.rest("churn-1")
        for pod in cluster.of("Pod"):
            if pod["metadata"].get("deletionTimestamp"):
                cluster.remove(("Pod", pod["metadata"]["name"]))
        control_jobs(cluster)

    assert read_condition(cluster, operator)[0] == "False"
    assert step(cluster, "dataset")["tries"]["number"] == 2
    assert cluster.live_jobs(examples.RUN_UID) == []


def test_what_would_end_the_same_is_not_tried_again_beside_a_sidecar() -> None:
    cluster, operator = advance_to_pod()
    cluster.end(pod_of(cluster), errors.REFUSED, "The disk is made of cheese.", sidecar=True)
    cluster.advance_clock(60)
    operator.rest("churn-1")

    assert step(cluster, "dataset")["state"] == "Failed"
    assert "cheese" in step(cluster, "dataset")["message"]
    assert cluster.live_jobs(examples.RUN_UID) == []


def test_one_of_several_workers_that_failed_beside_a_sidecar_is_given_up_too() -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(workers=2))
    for _ in range(10):
        operator.rest("churn-1")
        control_jobs(cluster)
        pods = list(cluster.live_pods())
        if len(pods) == 2:
            break
        cluster.finish(pods[0])
    cluster.begin(pods[0])
    cluster.end(pods[1], errors.UNAVAILABLE, sidecar=True)
    cluster.advance_clock(61)
    operator.rest("churn-1")

    assert step(cluster, "training")["tries"]["failed"] == 1
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"
    assert len(cluster.computed) == len(set(cluster.computed))
