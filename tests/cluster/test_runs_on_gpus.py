"""Jobs that ask for GPUs: on the nodes that have them and on no other, after a wait where there is none to have.

The node of the tests advertises GPUs and has none, so its jobs may fall back to the processor. The image is that of the
other jobs: what is trained is not what these tests are about.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from cluster.kubernetes_api import NODES, PODS, KubernetesApi, Object
from cluster.probe_pods import PORT, ProbePods
from cluster.sites import Site, step_of
from testcluster import probes
from testcluster.addons.archive import archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.nodes import GPU_RESOURCE, gpus, real_nodes

pytestmark = pytest.mark.needs("gpu")

STEPS = ("dataset", "training", "testing")
ONE = {"count": 1, "required": False}
# What who runs the operator says once, so that no Pipeline need know it.
SETTINGS = {
    "profiles": {
        "gpu-large": {
            "gpu": ONE,
            "nodeSelector": {"nvidia.com/gpu.present": "true"},
            "resources": {"requests": {"memory": "1Gi"}},
        }
    }
}


@pytest.fixture(scope="module")
def gpu_node(api: KubernetesApi) -> str:
    """The name of a node that has GPUs."""
    return next(str(node["metadata"]["name"]) for node in real_nodes(api.objects(NODES)) if gpus(node))


@pytest.fixture(scope="module")
def trained(site: Site) -> str:
    """A run that is done: training by a profile, testing by what the Pipeline itself says."""
    pipeline = site.pipeline("on-gpus", jobs__training={"profile": "gpu-large"}, jobs__testing={"gpu": ONE})
    run = site.run(pipeline, "dataset", "training", "testing")
    site.wait_for_success(run)
    return run


def test_training_and_testing_run_on_the_node_with_gpus_and_the_dataset_does_not(
    site: Site, trained: str, gpu_node: str
) -> None:
    places = {step: {pod["spec"]["nodeName"] for pod in site.pods(trained, step)} for step in STEPS}

    assert places["training"] == places["testing"] == {gpu_node}
    assert gpu_node not in places["dataset"]


@pytest.mark.parametrize("step", ["training", "testing"])
def test_a_pod_that_asks_for_a_gpu_has_it_to_itself_and_tolerates_the_taint_of_its_node(
    site: Site, trained: str, step: str
) -> None:
    (pod,) = site.pods(trained, step)
    resources = pod["spec"]["containers"][0]["resources"]

    assert resources["limits"][GPU_RESOURCE] == resources["requests"][GPU_RESOURCE] == "1"
    assert {"key": GPU_RESOURCE, "operator": "Exists", "effect": "NoSchedule"} in pod["spec"]["tolerations"]


def test_a_profile_of_the_administrator_says_what_the_pipeline_need_not_know(site: Site, trained: str) -> None:
    (pod,) = site.pods(trained, "training")

    assert pod["spec"]["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod["spec"]["containers"][0]["resources"]["requests"]["memory"] == "1Gi"


def test_an_unknown_profile_is_said_and_nothing_is_started(site: Site) -> None:
    run = site.run(site.pipeline("mistaken", jobs__training={"profile": "gpu-huge"}), "dataset", "training")
    reason, sentence = site.wait_for_failure(run)

    assert reason == "Refused"
    assert "spec.jobs[training].profile is gpu-huge" in sentence
    assert "gpu-large" in sentence
    assert site.jobs(run) == []


def test_a_run_waits_in_the_schedulers_words_for_a_gpu_that_no_node_has_until_one_has(
    site: Site, kind_of_gpu: str, gpu_node: str
) -> None:
    gpu = ONE | {"resource": kind_of_gpu}
    tolerations = [{"key": GPU_RESOURCE, "operator": "Exists"}]
    settings = {"gpu": gpu, "tolerations": tolerations}
    run = site.run(site.pipeline("rare", jobs__training=settings), "dataset", "training")

    assert f"2 Insufficient {kind_of_gpu}" in site.wait_for_reason(run, "Unschedulable")
    advertise(site.api, gpu_node, kind_of_gpu, 1)
    site.wait_for_success(run)
    assert [pod["spec"]["nodeName"] for pod in site.pods(run, "training")] == [gpu_node]
    assert len(site.jobs(run)) == 2


def test_a_run_waits_for_a_gpu_that_another_pod_holds_until_that_ends(
    site: Site, cluster: Cluster, kind_of_gpu: str, gpu_node: str
) -> None:
    advertise(site.api, gpu_node, kind_of_gpu, 1)
    pods = ProbePods(site.api, site.namespace, bring(cluster, archive(probes.image())))
    tolerations = [{"operator": "Exists"}]
    held = {"requests": {kind_of_gpu: "1"}, "limits": {kind_of_gpu: "1"}}
    pods.running(pods.create("holder", "listen", str(PORT), resources=held, tolerations=tolerations))
    settings = {"gpu": ONE | {"resource": kind_of_gpu}, "tolerations": tolerations}
    run = site.run(site.pipeline("held", jobs__training=settings), "dataset", "training")

    assert f"Insufficient {kind_of_gpu}" in site.wait_for_reason(run, "Unschedulable")
    site.api.delete(PODS, "holder", site.namespace)
    site.wait_for_success(run)


@pytest.fixture
def kind_of_gpu(api: KubernetesApi, gpu_node: str) -> Iterator[str]:
    """A kind of GPU that no node has, and nobody else asks for."""
    name = f"penstock.dev/gpu-{uuid4().hex[:8]}"
    yield name
    advertise(api, gpu_node, name, None)


def advertise(api: KubernetesApi, node: str, resource: str, count: int | None) -> None:
    """Have the node offer this many of the resource; None takes it away."""
    amount = None if count is None else str(count)
    change: Object = {"status": {kind: {resource: amount} for kind in ("capacity", "allocatable")}}
    api.patch(NODES, node, change, beneath="status")


def test_a_job_that_needs_a_gpu_and_finds_none_that_works_fails_with_that_sentence(site: Site) -> None:
    needed = {"gpu": {"count": 1}, "retries": {"limit": 0}}
    run = site.run(site.pipeline("needy", jobs__training=needed), "dataset", "training")
    _, sentence = site.wait_for_failure(run)

    assert "A GPU was asked for and none was found on this machine" in sentence
    assert step_of(site.wait_for_end(run), "training")["state"] == "Failed"
