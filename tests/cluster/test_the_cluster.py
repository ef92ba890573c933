"""What the tests count on: that the cluster, whichever it is, does what a cluster must."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from cluster.kubernetes_api import CONFIG_MAPS, NODES, PODS, ApiRefused, KubernetesApi, Object, Resource
from cluster.probe_pods import PORT, TRYING, ProbePods
from testcluster import probes
from testcluster.addons.archive import archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.nodes import gpus, real_nodes
from testcluster.patience import attempts

GPU = "nvidia.com/gpu"
POLICIES = Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicies", namespaced=False)
BINDINGS = Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", namespaced=False)


@pytest.fixture(scope="module")
def probe(cluster: Cluster) -> str:
    """The image of the program, on all nodes."""
    return bring(cluster, archive(probes.image()))


@pytest.fixture
def pods(api: KubernetesApi, namespace: str, probe: str) -> ProbePods:
    return ProbePods(api, namespace, probe)


@pytest.fixture
def two_nodes(api: KubernetesApi) -> list[str]:
    """The names of two nodes that run pods."""
    return [node["metadata"]["name"] for node in real_nodes(api.objects(NODES))][:2]


@pytest.fixture
def gpu_node(api: KubernetesApi) -> Object:
    """A node that has GPUs."""
    return next(node for node in real_nodes(api.objects(NODES)) if gpus(node))


@pytest.mark.needs("two-nodes")
def test_pods_of_two_nodes_reach_each_other(pods: ProbePods, two_nodes: list[str]) -> None:
    here, there = two_nodes
    address_here, address_there = pods.create_listeners(here, there)
    pods.connect((here, f"{address_there}:{PORT}"), (there, f"{address_here}:{PORT}"))


@pytest.mark.needs("two-nodes")
def test_a_service_is_known_by_its_names_and_leads_to_another_node(
    api: KubernetesApi, pods: ProbePods, two_nodes: list[str], namespace: str
) -> None:
    here, there = two_nodes
    pods.create_listeners(there)
    ports = {"selector": {"app": f"on-{there}"}, "ports": [{"port": 80, "targetPort": PORT}]}
    api.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": ports}, namespace)
    pods.connect(
        (here, "front:80"), (here, f"front.{namespace}.svc.cluster.local:80"), (there, f"front.{namespace}:80")
    )


def test_pods_reach_the_api_server_by_its_service(pods: ProbePods) -> None:
    pods.wait_for_phase(pods.create("ask", "connect", "kubernetes.default:443", TRYING), "Succeeded")


@pytest.mark.needs("storage-class")
def test_what_one_pod_writes_to_a_claim_the_next_one_reads(api: KubernetesApi, pods: ProbePods, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "notes"}, "spec": spec}
    api.create(claim, namespace)
    volumes = [{"name": "notes", "persistentVolumeClaim": {"claimName": "notes"}}]
    mounts = [{"name": "notes", "mountPath": "/notes"}]
    for action in ("write", "read"):
        name = pods.create(action, action, "/notes/note", volumes=volumes, mounts=mounts)
        pods.wait_for_phase(name, "Succeeded")


def test_a_pod_that_asks_for_local_disk_gets_it(pods: ProbePods) -> None:
    disk = {"ephemeral-storage": "1Mi"}
    pods.running(pods.create("with-disk", "listen", str(PORT), resources={"requests": disk, "limits": disk}))


@pytest.mark.needs("gpu")
def test_a_node_with_gpus_is_labelled_and_keeps_other_pods_away(pods: ProbePods, gpu_node: Object) -> None:
    name, labels = gpu_node["metadata"]["name"], gpu_node["metadata"]["labels"]
    assert labels["nvidia.com/gpu.present"] == "true"
    selector = {"kubernetes.io/hostname": name}
    waiting = pods.create("stranger", "listen", str(PORT), nodeSelector=selector)
    assert "untolerated taint" in pods.wait_for_scheduler_sentence(waiting)


@pytest.mark.needs("gpu")
def test_gpus_are_counted_and_who_finds_none_left_waits(pods: ProbePods, gpu_node: Object) -> None:
    whole = {"limits": {GPU: str(gpus(gpu_node))}}
    tolerations = [{"key": GPU, "operator": "Exists"}]
    selector = {"kubernetes.io/hostname": gpu_node["metadata"]["name"]}

    def create(name: str) -> str:
        return pods.create(name, "listen", str(PORT), resources=whole, tolerations=tolerations, nodeSelector=selector)

    pods.running(create("first"))
    second = create("second")
    assert f"Insufficient {GPU}" in pods.wait_for_scheduler_sentence(second)
    pods.api.delete(PODS, "first", pods.namespace)
    pods.running(second)


@pytest.mark.needs("two-nodes")
def test_a_cordoned_node_takes_no_new_pod_until_it_is_open_again(
    api: KubernetesApi, pods: ProbePods, cordoned: str
) -> None:
    selector = {"kubernetes.io/hostname": cordoned}
    tolerations = [{"key": GPU, "operator": "Exists"}]
    waiting = pods.create("late", "listen", str(PORT), nodeSelector=selector, tolerations=tolerations)
    assert "unschedulable" in pods.wait_for_scheduler_sentence(waiting)
    _cordon(api, cordoned, False)
    pods.running(waiting)


@pytest.fixture
def cordoned(api: KubernetesApi, two_nodes: list[str]) -> Iterator[str]:
    """A node that was cordoned for this test: the last, on which fewest pods of other tests wait to be placed."""
    name = two_nodes[-1]
    _cordon(api, name, True)
    yield name
    _cordon(api, name, False)


def _cordon(api: KubernetesApi, node: str, closed: bool) -> None:
    api.patch(NODES, node, {"spec": {"unschedulable": closed or None}})


def test_an_evicted_pod_ends(api: KubernetesApi, pods: ProbePods, namespace: str) -> None:
    pods.running(pods.create("guest", "listen", str(PORT)))
    _evict(api, namespace, "guest")
    api.wait_until_gone(PODS, "guest", namespace)


def test_an_eviction_that_a_budget_forbids_is_refused(api: KubernetesApi, pods: ProbePods, namespace: str) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "guest"}}}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "keep"}, "spec": spec}
    api.create(budget, namespace)
    pods.running(pods.create("guest", "listen", str(PORT)))
    with pytest.raises(ApiRefused, match="would violate the pod's disruption budget") as refused:
        _evict(api, namespace, "guest")
    assert refused.value.code == 429


def _evict(api: KubernetesApi, namespace: str, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    api.json("POST", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", eviction)


def test_what_a_pod_says_can_be_read(pods: ProbePods, api: KubernetesApi, namespace: str) -> None:
    pods.wait_for_phase(pods.create("loud", "connect", "127.0.0.1:1", "1"), "Failed")
    assert "connection refused" in api.logs("loud", namespace, "probe")


def test_a_pod_below_the_standard_of_its_namespace_is_refused(pods: ProbePods) -> None:
    with pytest.raises(ApiRefused, match='violates PodSecurity "restricted'):
        pods.create("bold", "listen", str(PORT), hostNetwork=True)


def test_who_was_given_no_right_has_none(api: KubernetesApi, namespace: str) -> None:
    account = f"system:serviceaccount:{namespace}:default"
    nobody = replace(api, headers={**api.headers, "Impersonate-User": account})
    with pytest.raises(ApiRefused, match="cannot list resource") as refused:
        nobody.objects(CONFIG_MAPS, namespace)
    assert refused.value.code == 403


def test_an_admission_policy_refuses_in_its_own_words(api: KubernetesApi, namespace: str) -> None:
    name = f"penstock-test-{uuid4().hex[:8]}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.metadata.name != 'unwanted'", "message": "is not wanted here"}],
    }
    only_here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": only_here}
    version = POLICIES.api_version
    made: Object = {"apiVersion": version, "metadata": {"name": name}}
    api.create({**made, "kind": "ValidatingAdmissionPolicy", "spec": policy})
    try:
        api.create({**made, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
        refusal = _refusal_of_a_config_map(api, namespace)
    finally:
        api.delete(BINDINGS, name)
        api.delete(POLICIES, name)
    assert "is not wanted here" in refusal


def _refusal_of_a_config_map(api: KubernetesApi, namespace: str) -> str:
    """Ask, by dry run, until the policy is known: that is some moments after it was made."""
    for _ in attempts("a policy that is enforced", 30):
        try:
            unwanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unwanted"}}
            api.json("POST", f"/api/v1/namespaces/{namespace}/configmaps", unwanted, {"dryRun": "All"})
        except ApiRefused as refused:
            return str(refused)
    raise AssertionError("attempts() ends by raising")
