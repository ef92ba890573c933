"""Deletion ends: of a run, a Pipeline or a namespace, at whatever moment, whatever is down; and nothing is left."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.kubernetes_api import CONFIG_MAPS, DEPLOYMENTS, JOBS, NAMESPACES, PODS, SERVICES, KubernetesApi, Object
from cluster.operator_process import OperatorProcess
from cluster.pod_player import RUN_UID, SERVERS, STEP
from cluster.sites import MODELS, PIPELINES, RUNS, container_runs, is_over, run_condition, step_of
from cluster.stages import REVISIONS, STEPS, Stage
from cluster.stages import stage as a_stage
from testcluster.cluster import Cluster

OURS = (PIPELINES, RUNS, MODELS)
CHILDREN = (CONFIG_MAPS, REVISIONS, JOBS, DEPLOYMENTS, SERVICES)
OF_RUNS = (CONFIG_MAPS, REVISIONS, JOBS, PODS)
# A job that does nothing, and takes three seconds to end once it is told to.
AT_WORK = """
import signal, sys, time
def end(*_):
    time.sleep(3)
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("at work", flush=True)
time.sleep(600)
"""


def each_step(*steps: str) -> list[object]:
    """Return the steps as parameters: training here, all in the soak, since each takes a run of its own."""
    return [pytest.param(step, marks=() if step == "training" else pytest.mark.soak) for step in steps]


@pytest.fixture
def stage(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    with a_stage(api, cluster, namespace, tmp_path) as made:
        yield made


@pytest.fixture
def operator(stage: Stage) -> Iterator[OperatorProcess]:
    with stage.operator() as running:
        running.wait_until_ready()
        yield running
        assert "This is a bug" not in running.log.read_text()


def at_step(stage: Stage, run: str, step: str) -> Object:
    """Return the run once that step has begun, and cannot end."""

    def there(seen: Object) -> bool:
        steps = (seen.get("status") or {}).get("steps") or ()
        return any(each["name"] == step and each["state"] in ("Running", "Waiting") for each in steps)

    return stage.api.wait_for(RUNS, run, stage.namespace, there, what=f"a run at {step}")


def nothing(there: dict[str, Object]) -> bool | None:
    return True if not there else None


def unneeded(there: dict[str, Object]) -> bool | None:
    """Return True once nothing is left but what a Model, which outlives its run, is owner of."""
    owners = ({owner["kind"] for owner in each["metadata"].get("ownerReferences", ())} for each in there.values())
    return True if all(kinds == {"Model"} for kinds in owners) else None


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("step", each_step(*STEPS, "deployment"))
def test_a_run_that_is_deleted_in_any_job_takes_its_children_along(stage: Stage, step: str) -> None:
    stage.player.held |= {SERVERS if step == "deployment" else step}
    uid = stage.apply_run("churn-1")["metadata"]["uid"]
    at_step(stage, "churn-1", step)

    stage.api.delete(RUNS, "churn-1", stage.namespace)

    stage.api.wait_until_gone(RUNS, "churn-1", stage.namespace, seconds=30)
    for resource in OF_RUNS:
        stage.api.wait(resource, stage.namespace, unneeded, what="no child of the run", labels=f"{RUN_UID}={uid}")


@pytest.mark.usefixtures("operator")
def test_a_pipeline_that_is_deleted_in_the_middle_takes_its_api_down_and_keeps_its_models(stage: Stage) -> None:
    api, namespace = stage.api, stage.namespace
    stage.apply_run("churn-1")
    stage.wait_until_ended("churn-1")
    api.get(SERVICES, "churn", namespace)
    stage.player.held.add("testing")
    stage.apply_run("churn-2")
    at_step(stage, "churn-2", "testing")

    api.delete(PIPELINES, "churn", namespace)

    api.wait_until_gone(PIPELINES, "churn", namespace, seconds=30)
    api.wait_until_gone(SERVICES, "churn", namespace)
    api.wait(DEPLOYMENTS, namespace, nothing, what="no servers")
    stage.player.held.clear()
    ended = stage.wait_until_ended("churn-2")
    assert (run_condition(ended)["status"], run_condition(ended)["reason"]) == ("False", "PipelineDeleted")
    assert "its Model is kept, and nothing serves it" in run_condition(ended)["message"]
    assert len(api.objects(MODELS, namespace)) == 2
    assert api.objects(DEPLOYMENTS, namespace) == []


@pytest.mark.usefixtures("operator")
def test_nothing_that_we_make_has_a_finalizer(stage: Stage) -> None:
    stage.apply_run("churn-1")
    stage.wait_until_ended("churn-1")
    stage.wait_until_served("churn-1")

    found = {
        f"{each['kind']} {each['metadata']['name']}": each["metadata"].get("finalizers")
        for resource in (*OURS, *CHILDREN)
        for each in stage.api.objects(resource, stage.namespace)
    }

    assert len({name.split()[0] for name in found}) == len((*OURS, *CHILDREN))
    assert {name: finalizers for name, finalizers in found.items() if finalizers} == {}


@pytest.mark.parametrize("step", each_step("dataset", "training", "deployment"))
def test_a_namespace_that_is_deleted_in_the_middle_of_a_run_ends_and_the_operator_stays_well(
    stage: Stage, operator: OperatorProcess, step: str
) -> None:
    stage.player.held |= {SERVERS if step == "deployment" else step}
    stage.apply_run("churn-1")
    at_step(stage, "churn-1", step)

    stage.api.delete(NAMESPACES, stage.namespace)

    stage.api.wait_until_gone(NAMESPACES, stage.namespace)
    assert operator.ask("/readyz")[0] == 200
    assert operator.ask("/healthz")[0] == 200


def test_with_the_storage_down_a_run_and_its_pipeline_are_gone_as_soon_as_ever(
    api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path, image: Callable[[str], str]
) -> None:
    down = {"s3": {"bucket": "ml-team", "prefix": "churn", "endpoint": f"http://nowhere.{namespace}:9000"}}
    real = {"image": image("jobs")}
    with a_stage(api, cluster, namespace, tmp_path, storage=down, dataset=real) as stage, stage.operator():
        uid = stage.apply_run("churn-1")["metadata"]["uid"]
        labels = f"{RUN_UID}={uid}"
        begun = "a job that has begun"
        api.wait(PODS, namespace, lambda there: any(map(has_begun, there.values())) or None, what=begun, labels=labels)

        api.delete(RUNS, "churn-1", namespace)
        api.delete(PIPELINES, "churn", namespace)

        for resource, name in ((RUNS, "churn-1"), (PIPELINES, "churn")):
            api.wait_until_gone(resource, name, namespace, seconds=30)
        for resource in OF_RUNS:
            api.wait(resource, namespace, unneeded, what="no child of the run", labels=labels)


def has_begun(pod: Object) -> bool:
    """Return whether a container of the pod runs, or has run."""
    return container_runs(pod) or is_over(pod)


@pytest.mark.parametrize("step", each_step(*STEPS))
def test_a_run_that_is_cancelled_in_any_job_says_so_once_none_of_its_pods_runs(
    api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path, image: Callable[[str], str], step: str
) -> None:
    container = {"name": "job", "image": image("jobs"), "command": ["python", "-c", AT_WORK]}
    real = {"podTemplate": {"spec": {"containers": [container]}}}
    with a_stage(api, cluster, namespace, tmp_path, **{step: real}) as stage, stage.operator():
        uid = stage.apply_run("churn-1")["metadata"]["uid"]
        labels = f"{RUN_UID}={uid},{STEP}={step}"
        pod = api.wait(
            PODS,
            namespace,
            lambda there: next((name for name, each in there.items() if container_runs(each)), None),
            what="a job at work",
            labels=labels,
        )
        api.wait_for_log(pod, namespace, "job", lambda line: "at work" in line)
        api.patch(RUNS, "churn-1", {"spec": {"cancel": True}}, namespace)

        ended = stage.wait_until_ended("churn-1")
        left = [each for each in api.objects(PODS, namespace, labels=f"{RUN_UID}={uid}") if not is_over(each)]
    assert left == []
    assert run_condition(ended)["reason"] == "Cancelled"
    assert step_of(ended, step)["state"] == "Cancelled"
    assert all(each["state"] in ("Succeeded", "Cancelled") for each in ended["status"]["steps"])
    # A Job that is complete is left alone. But a step has succeeded as soon as its pod has: a Job before it that is not
    # seen complete by then may go too.
    assert {each["metadata"]["labels"][STEP] for each in api.objects(JOBS, namespace)} <= {*STEPS[: STEPS.index(step)]}


@pytest.mark.usefixtures("operator")
def test_a_run_that_is_cancelled_before_its_model_is_served_leaves_the_old_one_serving(stage: Stage) -> None:
    stage.apply_run("churn-1")
    stage.wait_until_ended("churn-1")
    before = stage.wait_until_served("churn-1")["status"]["servedModel"]["name"]
    service = stage.api.get(SERVICES, "churn", stage.namespace)["spec"]["selector"]
    stage.player.held.add(SERVERS)
    stage.apply_run("churn-2")
    stage.api.wait_for(
        RUNS,
        "churn-2",
        stage.namespace,
        lambda run: run_condition(run).get("reason") == "RollingOut",
        what="a Model on its way",
    )

    stage.api.patch(RUNS, "churn-2", {"spec": {"cancel": True}}, stage.namespace)

    ended = stage.wait_until_ended("churn-2")
    pods = stage.api.wait(
        PODS,
        stage.namespace,
        lambda there: list(there.values()) if len(there) == 1 else None,
        what="only the old servers",
        labels="penstock.dev/revision",
    )
    pipeline = stage.api.wait_for(
        PIPELINES,
        "churn",
        stage.namespace,
        lambda each: each["status"].get("selectedModel") == before,
        what="the old Model selected again",
    )
    assert run_condition(ended)["reason"] == "Cancelled"
    assert pipeline["status"]["servedModel"]["name"] == before
    assert stage.api.get(SERVICES, "churn", stage.namespace)["spec"]["selector"] == service
    assert service.items() <= pods[0]["metadata"]["labels"].items()
