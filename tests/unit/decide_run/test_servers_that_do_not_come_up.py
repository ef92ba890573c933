"""Servers that do not become ready: what they wait for is waited for, what they refuse is told at once."""

from datetime import timedelta
from typing import Any

import pytest

from penstock.decide.objects.children import REVISION
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator
from unit.decide_run.runs_at_work import apply_run, control_jobs, read_condition

REFUSED = {
    "exitCode": 2,
    "message": "2026-03-01 12:00:00,000 INFO loading\n2026-03-01 12:00:01,000 ERROR model.onnx is not the file.",
}
NO_NODE = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."


def rolling_out() -> tuple[ModelCluster, ModelOperator, Object]:
    """Return a cluster whose run waits for the servers of its Model, and a pod of them."""
    cluster, operator = apply_run()
    for _ in range(10):
        operator.rest("churn-1")
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
    [deployment] = cluster.of("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pod = {"kind": "Pod", "metadata": {"name": "server", "uid": "server", "labels": labels}, "spec": {}}
    assert REVISION in labels
    return cluster, operator, pod | {"status": {"phase": "Pending"}}


def container(cluster: ModelCluster, pod: Object, **status: Any) -> None:
    statuses = [{"name": "job", "ready": False, "restartCount": 1, **status}]
    cluster.put(pod | {"status": {"phase": "Running", "containerStatuses": statuses}})


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (REFUSED["message"], "model.onnx is not the file."),
        ('{"time": "12:00", "level": "ERROR", "message": "No such Model."}', "No such Model."),
        ("Traceback:\nValueError: no", "ValueError: no"),
        ("", "ended with exit code 2"),
    ],
)
def test_a_server_that_refuses_its_model_ends_the_rollout_at_once_in_its_own_words(message: str, sentence: str) -> None:
    cluster, operator, pod = rolling_out()

    container(cluster, pod, state={"terminated": REFUSED | {"message": message}})
    status, reason, said = read_condition(cluster, operator)

    assert (status, reason) == ("False", "ModelNotReady")
    assert sentence in said
    assert cluster.of("Deployment")[0]["spec"]["replicas"] == 0


def test_a_server_that_was_unlucky_once_is_not_given_up() -> None:
    cluster, operator, pod = rolling_out()

    container(cluster, pod, state={"running": {}}, lastState={"terminated": {"exitCode": 75, "message": "No answer."}})

    assert read_condition(cluster, operator)[:2] == ("Unknown", "RollingOut")


def test_after_its_deadline_a_server_that_ends_again_and_again_is_told_by_its_last_words() -> None:
    cluster, operator, pod = rolling_out()

    container(
        cluster,
        pod,
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 75, "message": "No answer."}},
    )
    cluster.roll_out(cluster.of("Deployment")[0], well=False)

    status, reason, said = read_condition(cluster, operator)
    assert (status, reason) == ("False", "ModelNotReady")
    assert said.endswith("No answer.")


def test_servers_that_no_node_takes_are_waited_for_beyond_their_deadline_in_the_schedulers_words() -> None:
    cluster, operator, pod = rolling_out()

    cluster.unschedulable(pod, NO_NODE)
    cluster.roll_out(cluster.of("Deployment")[0], well=False)
    status, reason, said = read_condition(cluster, operator)
    assert (status, reason) == ("Unknown", "RollingOut")
    assert NO_NODE in said

    cluster.now += timedelta(hours=25)
    status, reason, said = read_condition(cluster, operator)
    assert (status, reason) == ("False", "ModelNotReady")
    assert "pendingLimit of 24h" in said
    assert NO_NODE in said


def test_a_choice_whose_run_is_cancelled_before_it_is_served_is_taken_back() -> None:
    cluster, operator, _ = rolling_out()
    run = cluster.objects["PipelineRun", "churn-1"]

    cluster.put({**run, "spec": {**run["spec"], "cancel": True}})

    assert read_condition(cluster, operator)[:2] == ("False", "Cancelled")
    assert cluster.of("Deployment")[0]["spec"]["replicas"] == 0
    assert ("Service", "churn") not in cluster.objects
    assert "selectedModel" not in cluster.objects["Pipeline", "churn"]["status"]


def test_a_strangers_service_of_that_name_is_left_alone_and_both_pipeline_and_run_say_so() -> None:
    cluster, operator = apply_run()
    stranger = {"kind": "Service", "metadata": {"name": "churn", "labels": {}}, "spec": {"selector": {"app": "else"}}}
    cluster.put(stranger)

    settled_as_far_as_it_goes(cluster, operator)

    status, reason, said = read_condition(cluster)
    ready = cluster.objects["Pipeline", "churn"]["status"]["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "NameConflict")
    assert (status, reason) == ("Unknown", "RollingOut")
    assert ready["message"] == said
    assert "There is a Service churn that this Pipeline did not make" in said
    assert cluster.objects["Service", "churn"]["spec"] == stranger["spec"]
    assert "servedModel" not in cluster.objects["Pipeline", "churn"]["status"]


def settled_as_far_as_it_goes(cluster: ModelCluster, operator: ModelOperator) -> None:
    for _ in range(15):
        operator.looks()
        operator.reconcile("churn-1")
        operator.looks()
        operator.serve()
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
        for deployment in cluster.of("Deployment"):
            cluster.roll_out(deployment)
