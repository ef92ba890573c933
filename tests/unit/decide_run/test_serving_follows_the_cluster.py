"""What a Pipeline says of its servers is what the cluster has now, and what was made for them stays as it was made."""

from typing import Any

import pytest

from penstock.decide.objects.children import MODEL, REVISION
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import Key, ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, advance, settle
from unit.decide_run.runs_at_work import apply_run

RECOVERY = 10


def served(**spec: Any) -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = apply_run(pipeline=examples.pipeline(**spec))
    settle(cluster, operator)
    return cluster, operator


def recover(cluster: ModelCluster, operator: ModelOperator) -> None:
    """Let the operator and Kubernetes do what they have to do until nothing more comes of it."""
    for _ in range(RECOVERY):
        operator.rest("churn-1")
        advance(cluster)
    operator.rest("churn-1")


def ready(cluster: ModelCluster) -> tuple[str, str, str]:
    conditions = cluster.objects["Pipeline", "churn"]["status"]["conditions"]
    found = next(each for each in conditions if each["type"] == "Ready")
    return found["status"], found["reason"], found["message"]


def served_model_name(cluster: ModelCluster) -> str | None:
    served = cluster.objects["Pipeline", "churn"]["status"].get("servedModel")
    return served["name"] if served else None


def children_of_serving(cluster: ModelCluster) -> dict[Key, Object]:
    there = {key: each for key, each in cluster.objects.items() if REVISION in each["metadata"].get("labels", {})}
    return there | {("Service", "churn"): cluster.objects["Service", "churn"]}


def say_unavailable(cluster: ModelCluster, available: int, **condition: str) -> None:
    (deployment,) = cluster.of("Deployment")
    status = {"observedGeneration": deployment["metadata"]["generation"], "availableReplicas": available}
    conditions = [{"type": "Available", "status": "False", **condition}] if condition else []
    cluster.put({**deployment, "status": {**status, "conditions": conditions}})


def test_ready_is_false_while_no_server_answers_in_the_words_of_the_deployment_and_true_again_after_that() -> None:
    cluster, operator = served()
    say_unavailable(cluster, 0, message="Deployment does not have minimum availability.")
    operator.rest("churn-1")

    status, reason, message = ready(cluster)
    assert (status, reason) == ("False", "ServersUnavailable")
    assert message.endswith("Deployment does not have minimum availability.")
    assert served_model_name(cluster) is not None

    recover(cluster, operator)
    assert ready(cluster)[:2] == ("True", "ModelServed")


def test_ready_says_how_many_servers_answer_where_not_all_do() -> None:
    cluster, operator = served(deployment={"replicas": 3})
    say_unavailable(cluster, 1)
    operator.rest("churn-1")

    status, reason, message = ready(cluster)
    assert (status, reason) == ("True", "ModelServed")
    assert "1 of 3 servers are available" in message


@pytest.mark.parametrize("kind", ["Deployment", "ConfigMap", "Service"])
def test_a_child_of_serving_that_is_deleted_is_made_again_as_it_was(kind: str) -> None:
    cluster, operator = served()
    before = children_of_serving(cluster)
    (key,) = (each for each in before if each[0] == kind)

    cluster.remove(key)
    operator.rest("churn-1")

    made = cluster.objects[key]
    assert {name: made[name] for name in made if name in ("spec", "data")} == {
        name: before[key][name] for name in before[key] if name in ("spec", "data")
    }
    recover(cluster, operator)
    assert ready(cluster)[:2] == ("True", "ModelServed")


def test_ready_is_false_at_once_where_the_deployment_was_deleted() -> None:
    cluster, operator = served()
    (deployment,) = cluster.of("Deployment")

    cluster.remove(("Deployment", deployment["metadata"]["name"]))
    operator.rest("churn-1")

    assert ready(cluster)[:2] == ("False", "ServersUnavailable")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Deployment", {"template": {"spec": {"containers": [{"name": "job", "image": "elsewhere/server"}]}}}),
        ("Deployment", {"replicas": 0}),
        ("Service", {"selector": {"app": "else"}}),
        ("Service", {"ports": [{"name": "http", "port": 81}]}),
    ],
)
def test_a_child_of_serving_that_is_edited_is_made_as_it_was(kind: str, change: dict[str, Any]) -> None:
    cluster, operator = served()
    key = next(each for each in children_of_serving(cluster) if each[0] == kind)
    before = cluster.objects[key]["spec"]

    cluster.put({**cluster.objects[key], "spec": {**before, **change}})
    recover(cluster, operator)

    assert cluster.objects[key]["spec"] == before


def test_what_others_add_to_a_child_is_left_alone() -> None:
    cluster, operator = served()
    (deployment,) = cluster.of("Deployment")
    template = deployment["spec"]["template"]
    added = {**template, "metadata": {**template["metadata"], "annotations": {"kubectl/restartedAt": "now"}}}
    cluster.put({**deployment, "spec": {**deployment["spec"], "template": added}})
    cluster.roll_out(cluster.of("Deployment")[0])
    operator.rest("churn-1")
    written = operator.writes

    operator.serve()

    assert operator.writes == written
    assert cluster.of("Deployment")[0]["spec"]["template"]["metadata"]["annotations"] == {"kubectl/restartedAt": "now"}


def test_a_spec_without_deployment_takes_the_api_down_and_with_one_again_the_last_selected_is_served() -> None:
    cluster, operator = served()
    model = served_model_name(cluster)
    there = cluster.objects["Pipeline", "churn"]
    without = {name: value for name, value in there["spec"].items() if name != "deployment"}

    cluster.put({**there, "spec": without})
    recover(cluster, operator)

    assert [key for key in cluster.objects if key[0] in ("Service", "Deployment")] == []
    assert not [each for each in cluster.of("ConfigMap") if REVISION in each["metadata"]["labels"]]
    status = cluster.objects["Pipeline", "churn"]["status"]
    assert "servedModel" not in status
    assert "url" not in status
    assert status["servedHistory"][0]["name"] == model
    assert ready(cluster)[:2] == ("True", "Accepted")
    assert len(cluster.of("Model")) == 1

    cluster.put({**cluster.objects["Pipeline", "churn"], "spec": there["spec"]})
    recover(cluster, operator)
    assert served_model_name(cluster) == model
    assert ready(cluster)[:2] == ("True", "ModelServed")


def test_of_many_models_served_one_after_the_other_only_the_servers_now_and_those_before_are_kept() -> None:
    cluster, operator = served(retention={"models": 2})
    for night in range(2, 6):
        name = f"churn-{night}"
        cluster.put(examples.run(name, f"{str(night) * 8}-night", f"2026-03-0{night}T12:00:00Z"))
        cluster.advance_clock(86400)
        settle(cluster, operator, name)
        recover(cluster, operator)

    models = {each["metadata"]["labels"][MODEL] for each in cluster.of("Deployment")}
    status = cluster.objects["Pipeline", "churn"]["status"]
    assert models == {status["servedModel"]["name"], status["servedHistory"][0]["name"]}
    files = [each for each in cluster.of("ConfigMap") if REVISION in each["metadata"]["labels"]]
    assert {each["metadata"]["labels"][MODEL] for each in files} == models
    assert len(files) == len(cluster.of("Deployment")) == 2


def test_servers_that_did_not_come_up_are_removed_once_their_run_has_said_so() -> None:
    cluster, operator = served()
    first = served_model_name(cluster)
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    for _ in range(30):
        operator.rest("churn-2")
        for job in cluster.of("Job"):
            cluster.control(job)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
        for each in cluster.of("Deployment"):
            if each["metadata"]["labels"][MODEL] != first:
                cluster.roll_out(each, well=False)

    condition = find_succeeded(cluster, "churn-2")
    assert (condition["status"], condition["reason"]) == ("False", "ModelNotReady")
    recover(cluster, operator)
    assert [each["metadata"]["labels"][MODEL] for each in cluster.of("Deployment")] == [first]


def find_succeeded(cluster: ModelCluster, name: str) -> Object:
    conditions = cluster.objects["PipelineRun", name]["status"]["conditions"]
    return next(each for each in conditions if each["type"] == "Succeeded")


def test_a_status_that_was_lost_is_found_again_from_the_service_and_nothing_is_scaled_meanwhile() -> None:
    cluster, operator = served()
    model, servers = served_model_name(cluster), cluster.of("Deployment")
    there = cluster.objects["Pipeline", "churn"]

    cluster.put({name: value for name, value in there.items() if name != "status"})
    recovered = operator.restart()
    recover(cluster, recovered)

    assert served_model_name(cluster) == model
    assert ready(cluster)[:2] == ("True", "ModelServed")
    assert [each["spec"] for each in cluster.of("Deployment")] == [each["spec"] for each in servers]
    assert [each["metadata"]["generation"] for each in cluster.of("Deployment")] == [1]


def test_a_service_that_is_deleted_while_its_servers_are_down_does_not_make_the_model_be_given_up() -> None:
    cluster, operator = served()
    model = served_model_name(cluster)
    cluster.roll_out(cluster.of("Deployment")[0], well=False)
    cluster.remove(("Service", "churn"))
    operator.rest("churn-1")

    assert cluster.of("Deployment")[0]["spec"]["replicas"] == 1
    recover(cluster, operator)
    assert served_model_name(cluster) == model
    assert ready(cluster)[:2] == ("True", "ModelServed")
