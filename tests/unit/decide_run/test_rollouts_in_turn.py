"""Another serving image changes the servers of all Pipelines: a few at a time, while the old ones answer."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.decide.decision import Create
from penstock.decide.objects.children import PIPELINE, REVISION
from penstock.decide.objects.rollout import rollout_of
from penstock.decide.settings import Settings
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import apply_run

NEW = "penstock/serving:0.2.0"
NAMES = ("churn", "churn-a", "churn-b", "churn-c")
NO_NODE = "0/2 nodes are available: 2 Insufficient cpu."


def settings_of_upgrade(image: str = NEW, **changes: Any) -> Settings:
    return msgspec.convert({"images": {"serving": image}, **changes}, Settings)


def serving_pipelines() -> tuple[ModelCluster, ModelOperator]:
    """Return a cluster in which several Pipelines serve one Model."""
    cluster, operator = apply_run()
    settle(cluster, operator)
    model = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]
    for name in NAMES[1:]:
        metadata = {"name": name, "namespace": examples.NAMESPACE, "uid": f"uid-of-{name}", "generation": 1}
        spec = {"deployment": {"model": model}}
        cluster.put({"kind": "Pipeline", "metadata": metadata, "spec": spec})
    come_to_rest(cluster, operator)
    return cluster, operator


def come_to_rest(cluster: ModelCluster, operator: ModelOperator) -> None:
    """Let all servers come up, and the operator do what it has to, until nothing more comes of it."""
    for _ in range(60):
        before = cluster.version
        for name in NAMES:
            operator.looks()
            operator.serve(name)
        for each in cluster.of("Deployment"):
            cluster.roll_out(each)
        if cluster.version == before:
            return
    raise AssertionError("no rest")


def look_at(cluster: ModelCluster, operator: ModelOperator, *names: str, times: int = 4) -> None:
    for _ in range(times):
        for name in names or NAMES:
            operator.looks()
            operator.serve(name)


def servers_of(cluster: ModelCluster, name: str) -> list[Object]:
    """Return the Deployments of the Pipeline that have servers."""
    mine = (each for each in cluster.of("Deployment") if each["metadata"]["labels"][PIPELINE] == name)
    return [each for each in mine if each["spec"]["replicas"]]


def doubled(cluster: ModelCluster) -> list[str]:
    """Return the Pipelines that have servers of more than one revision."""
    return [name for name in NAMES if len(servers_of(cluster, name)) > 1]


def image_of(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def images(cluster: ModelCluster, name: str) -> list[str]:
    return [image_of(each) for each in servers_of(cluster, name)]


def ready(cluster: ModelCluster, name: str) -> tuple[str, str, str]:
    conditions = cluster.objects["Pipeline", name]["status"]["conditions"]
    found = next(each for each in conditions if each["type"] == "Ready")
    return found["status"], found["reason"], found["message"]


def change_spec(cluster: ModelCluster, name: str, **spec: Any) -> None:
    there = cluster.objects["Pipeline", name]
    metadata = {**there["metadata"], "generation": there["metadata"]["generation"] + 1}
    cluster.put({**there, "metadata": metadata, "spec": {**there["spec"], **spec}})


def find_no_room(cluster: ModelCluster, deployment: Object) -> None:
    """Let a pod of these servers find no node."""
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    name = f"server-{labels[REVISION]}"
    pod = {"kind": "Pod", "metadata": {"name": name, "labels": labels, "ownerReferences": [{"uid": "", "name": ""}]}}
    cluster.unschedulable({**pod, "spec": {}}, NO_NODE)


def remove_pods_without_servers(cluster: ModelCluster) -> None:
    live = {each["metadata"]["labels"][REVISION] for each in cluster.of("Deployment") if each["spec"]["replicas"]}
    for pod in cluster.of("Pod"):
        if pod["metadata"]["labels"].get(REVISION) not in {None, *live}:
            cluster.remove(("Pod", pod["metadata"]["name"]))


def test_several_pipelines_that_serve_one_model_are_all_named_by_it_and_come_to_rest() -> None:
    cluster, _ = serving_pipelines()

    [model] = cluster.of("Model")
    assert sorted(model["status"]["servedBy"]) == sorted(NAMES)


STEPS = st.lists(st.tuples(st.sampled_from(["look", "come up"]), st.integers(0, 3)), max_size=60)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, most=st.integers(1, 2))
def test_in_any_order_no_more_pipelines_than_may_have_twice_their_servers_and_in_the_end_all_have_new_ones(
    steps: list[tuple[str, int]], most: int
) -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade(concurrentRollouts=most))

    for what, which in steps:
        if what == "look":
            look_at(cluster, upgraded, NAMES[which], times=1)
        else:
            for each in servers_of(cluster, NAMES[which]):
                cluster.roll_out(each)
        assert len(doubled(cluster)) <= most

    come_to_rest(cluster, upgraded)
    assert {image for name in NAMES for image in images(cluster, name)} == {NEW}
    assert doubled(cluster) == []
    assert all(rollout_of(each).upgrade_time is None for name in NAMES for each in servers_of(cluster, name))
    assert {ready(cluster, name)[:2] for name in NAMES} == {("True", "ModelServed")}


def test_who_waits_is_ready_and_says_that_others_go_first_and_is_looked_at_again() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded)

    status, reason, message = ready(cluster, "churn-b")
    assert (status, reason) == ("True", "RolloutQueued")
    assert "settings.concurrentRollouts is 1" in message
    again = upgraded.serve("churn-b").requeue_after
    assert again is not None
    assert again <= 60


def test_two_workers_at_the_same_moment_do_not_take_one_place() -> None:
    _, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())

    first, second = (upgraded.decide("Pipeline", name) for name in NAMES[:2])

    assert [write.object["kind"] for write in first.writes if isinstance(write, Create)] == ["ConfigMap", "Deployment"]
    assert second.writes == ()


@pytest.mark.parametrize("change", [{"logs": {"level": "DEBUG"}}, {"deployment": {"model": "other"}}])
def test_a_change_of_one_pipeline_waits_for_no_other(change: Object) -> None:
    cluster, operator = serving_pipelines()
    model = cluster.of("Model")[0]
    other = {"name": "other", "namespace": examples.NAMESPACE, "labels": model["metadata"]["labels"]}
    cluster.put({**model, "metadata": other})
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded)
    assert doubled(cluster) == ["churn"]

    change_spec(cluster, "churn-c", **({"deployment": {"model": servers_model(cluster)}} | change))
    look_at(cluster, upgraded)

    assert doubled(cluster) == ["churn", "churn-c"]


def servers_model(cluster: ModelCluster) -> str:
    return str(cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"])


def test_who_waits_is_scaled_and_opened_as_the_spec_says_and_what_is_deleted_of_it_is_made_again() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded)
    change_spec(cluster, "churn-b", deployment={"model": servers_model(cluster), "replicas": 3, "port": 81})
    [old] = servers_of(cluster, "churn-b")
    cluster.remove(("ConfigMap", old["metadata"]["name"]))

    look_at(cluster, upgraded)

    [kept] = servers_of(cluster, "churn-b")
    assert (image_of(kept), kept["spec"]["replicas"]) == (image_of(old), 3)
    assert cluster.objects["Service", "churn-b"]["spec"]["ports"][0]["port"] == 81
    assert ("ConfigMap", old["metadata"]["name"]) in cluster.objects


def test_servers_without_room_give_their_place_to_others_and_are_tried_again_later_and_the_old_ones_answer() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded)
    stuck = next(each for each in servers_of(cluster, "churn") if image_of(each) == NEW)
    find_no_room(cluster, stuck)
    look_at(cluster, upgraded)
    assert NO_NODE in ready(cluster, "churn")[2]

    cluster.advance_clock(601)
    look_at(cluster, upgraded, "churn")
    remove_pods_without_servers(cluster)

    status, reason, message = ready(cluster, "churn")
    assert (status, reason) == ("True", "RolloutFailed")
    assert NO_NODE in message
    assert "They are tried again at 2026-" in message
    assert images(cluster, "churn") == ["penstock/serving"]
    look_at(cluster, upgraded, "churn-a")
    assert NEW in images(cluster, "churn-a")

    come_to_rest(cluster, upgraded)
    assert images(cluster, "churn") == ["penstock/serving"]
    cluster.advance_clock(601)
    come_to_rest(cluster, upgraded)
    assert images(cluster, "churn") == [NEW]
    assert rollout_of(servers_of(cluster, "churn")[0]).tries == 0


def test_tries_are_further_and_further_apart_and_nothing_is_written_between_them() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    waits = []
    for _ in range(6):
        look_at(cluster, upgraded, "churn")
        find_no_room(cluster, next(each for each in servers_of(cluster, "churn") if image_of(each) == NEW))
        cluster.advance_clock(601)
        look_at(cluster, upgraded, "churn")
        remove_pods_without_servers(cluster)
        look_at(cluster, upgraded, "churn")
        written, wait = upgraded.writes, upgraded.serve("churn").requeue_after
        assert wait is not None
        cluster.advance_clock(wait - 1)
        look_at(cluster, upgraded, "churn")
        assert upgraded.writes == written
        cluster.advance_clock(1)
        waits.append(round(wait, -1))

    assert waits == [600, 1200, 2400, 3600, 3600, 3600]


def test_servers_that_refuse_what_they_are_to_serve_are_not_tried_again() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded, "churn")
    refusing = next(each for each in servers_of(cluster, "churn") if image_of(each) == NEW)
    find_no_room(cluster, refusing)
    [pod] = (each for each in cluster.of("Pod") if each["metadata"]["labels"].get(REVISION))
    ended = {"terminated": {"exitCode": 2, "message": "No such format."}}
    cluster.put({**pod, "status": {"phase": "Running", "containerStatuses": [{"name": "job", "state": ended}]}})
    look_at(cluster, upgraded, "churn")
    remove_pods_without_servers(cluster)

    cluster.advance_clock(10 * 86400)
    come_to_rest(cluster, upgraded)

    assert images(cluster, "churn") == ["penstock/serving"]
    assert ready(cluster, "churn")[:2] == ("True", "RolloutFailed")
    assert "No such format." in ready(cluster, "churn")[2]
    assert images(cluster, "churn-c") == [NEW]


def test_servers_of_another_spec_that_found_no_room_in_their_pending_limit_are_tried_again() -> None:
    cluster, operator = serving_pipelines()
    jobs = [{"name": "deployment", "pendingLimit": "1h", "resources": {"requests": {"cpu": "4"}}}]
    change_spec(cluster, "churn-a", jobs=jobs)
    look_at(cluster, operator, "churn-a")
    find_no_room(cluster, servers_of(cluster, "churn-a")[1])
    find_no_room(cluster, servers_of(cluster, "churn-a")[0])
    cluster.advance_clock(3601)
    look_at(cluster, operator, "churn-a")
    remove_pods_without_servers(cluster)
    assert ready(cluster, "churn-a")[:2] == ("True", "RolloutFailed")
    assert "pendingLimit of 1h" in ready(cluster, "churn-a")[2]
    [before] = servers_of(cluster, "churn-a")

    cluster.advance_clock(601)
    come_to_rest(cluster, operator)

    [after] = servers_of(cluster, "churn-a")
    assert after["metadata"]["labels"][REVISION] != before["metadata"]["labels"][REVISION]
    assert ready(cluster, "churn-a")[:2] == ("True", "ModelServed")


def test_a_place_whose_pipeline_is_gone_or_cannot_be_read_is_free_again() -> None:
    cluster, operator = serving_pipelines()
    upgraded = operator.restart(settings_of_upgrade())
    look_at(cluster, upgraded, "churn")
    change_spec(cluster, "churn", deployment={"replicas": "as many as are needed"})
    look_at(cluster, upgraded)
    assert doubled(cluster) == ["churn"]

    cluster.advance_clock(1201)
    look_at(cluster, upgraded)

    assert doubled(cluster) == ["churn", "churn-a"]


def test_a_third_revision_takes_the_place_of_the_second_so_that_there_are_never_three() -> None:
    cluster, operator = serving_pipelines()
    look_at(cluster, operator.restart(settings_of_upgrade()), "churn")
    newest = operator.restart(settings_of_upgrade("penstock/serving:0.3.0"))

    look_at(cluster, newest, "churn")

    assert sorted(images(cluster, "churn")) == ["penstock/serving", "penstock/serving:0.3.0"]


def test_what_a_later_leader_rolls_out_is_left_alone_by_one_that_does_not_know_yet_that_it_has_lost_its_lease() -> None:
    cluster, old = serving_pipelines()
    cluster.advance_clock(60)
    new = old.restart(settings_of_upgrade())
    selected = [cluster.objects["Service", "churn"]["spec"]["selector"][REVISION]]
    for _ in range(30):
        for operator in (old, new):
            look_at(cluster, operator, times=1)
            selected.append(cluster.objects["Service", "churn"]["spec"]["selector"][REVISION])
        for each in cluster.of("Deployment"):
            cluster.roll_out(each)
    written = old.writes + new.writes

    for operator in (old, new, old, new):
        look_at(cluster, operator)

    assert len(dict.fromkeys(selected)) == 2
    assert sum(a != b for a, b in pairwise(selected)) == 1
    assert {image for name in NAMES for image in images(cluster, name)} == {NEW}
    assert old.writes + new.writes == written


def test_a_leader_of_the_version_before_rolls_back_once() -> None:
    cluster, old = serving_pipelines()
    cluster.advance_clock(60)
    come_to_rest(cluster, old.restart(settings_of_upgrade()))
    cluster.advance_clock(60)

    come_to_rest(cluster, old.restart(old.settings))

    assert {image for name in NAMES for image in images(cluster, name)} == {"penstock/serving"}
    assert {ready(cluster, name)[:2] for name in NAMES} == {("True", "ModelServed")}


def test_servers_that_are_started_again_for_the_way_back_have_all_their_time_from_then_on() -> None:
    cluster, operator = serving_pipelines()
    first = servers_model(cluster)
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    settle(cluster, operator, "churn-2")
    come_to_rest(cluster, operator)
    cluster.advance_clock(10 * 86400)

    change_spec(cluster, "churn", deployment={"model": first})
    look_at(cluster, operator, "churn")
    find_no_room(cluster, next(each for each in servers_of(cluster, "churn") if rollout_of(each).start_time))
    look_at(cluster, operator, "churn")

    assert ready(cluster, "churn")[:2] == ("Unknown", "RollingOut")
    assert NO_NODE in ready(cluster, "churn")[2]


def test_the_manifest_goes_before_an_annotation_that_pinned_a_model_in_an_older_version() -> None:
    cluster, operator = serving_pipelines()
    first = servers_model(cluster)
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    settle(cluster, operator, "churn-2")
    second = servers_model(cluster)
    there = cluster.objects["Pipeline", "churn"]
    annotated = {**there["metadata"], "annotations": {"penstock.dev/pinned-model": second}}
    cluster.put({**there, "metadata": annotated})

    change_spec(cluster, "churn", deployment={"model": first})
    come_to_rest(cluster, operator)

    assert first != second
    assert servers_model(cluster) == first
    assert ready(cluster, "churn")[:2] == ("True", "ModelServed")
