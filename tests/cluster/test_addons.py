"""What the cluster of the tests has besides itself does what it is there for: other tests count on it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from cluster.buckets import BUCKET, LAKE, Buckets
from cluster.kubernetes_api import CRDS, JOBS, NAMESPACES, NODES, PODS, ApiRefused, KubernetesApi, Object, Resource
from testcluster import addons, probes, s3
from testcluster.addons import addon, kueue, kwok
from testcluster.addons.archive import archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl, KubectlFailed
from testcluster.nodes import real_nodes
from testcluster.patience import attempts
from testcluster.what_was_shown import AcceptedOnly, Lacks

CLUSTER_QUEUES = Resource("kueue.x-k8s.io/v1beta2", "clusterqueues", namespaced=False)
FLAVORS = Resource("kueue.x-k8s.io/v1beta2", "resourceflavors", namespaced=False)
WORKLOADS = Resource("kueue.x-k8s.io/v1beta2", "workloads")
GATEWAY_CLASSES = Resource("gateway.networking.k8s.io/v1", "gatewayclasses", namespaced=False)
API_SERVER = "kubernetes.default:443"


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster.kubeconfig)


@pytest.fixture(scope="module")
def probe(cluster: Cluster) -> str:
    """The image of a program that connects, on all nodes."""
    return bring(cluster, archive(probes.image()))


@pytest.fixture
def unique() -> str:
    """A name for what has no namespace."""
    return f"penstock-test-{uuid4().hex[:8]}"


def job(name: str, image: str, *arguments: str, pod: Object | None = None, **more: Any) -> Object:
    """Return a Job of one container; `pod` is what else its pods' specification holds, `more` the Job's."""
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(arguments),
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"restartPolicy": "Never", "securityContext": security, "containers": [container], **(pod or {})}
    annotations = more.pop("annotations", {})
    template = {"metadata": {"annotations": annotations}, "spec": spec}
    metadata = {"name": name, "labels": more.pop("labels", {})}
    whole = {"backoffLimit": 0, "template": template, **more}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": whole}


def has_condition(kind: str, status: str = "True") -> Any:
    """Return what tells whether an object has that condition."""

    def holds(item: Object) -> bool:
        found = item.get("status", {}).get("conditions", [])
        return any(each["type"] == kind and each["status"] == status for each in found)

    return holds


# --- metrics-server ---------------------------------------------------------------------------------------------------


@pytest.mark.needs("metrics")
def test_kubectl_top_has_a_number_for_each_node_that_runs_pods(api: KubernetesApi, kubectl: Kubectl) -> None:
    names = {node["metadata"]["name"] for node in real_nodes(api.objects(NODES))}
    for _ in attempts("a number for each node", 60):  # a kubelet that is busy misses a measurement now and then
        lines = [line.split() for line in kubectl("top", "nodes", "--no-headers").splitlines()]
        used = {name: memory for name, _, _, memory, _ in lines if name in names}
        if used.keys() == names and "<unknown>" not in used.values():
            break
    assert all(int(memory.removesuffix("Mi")) > 0 for memory in used.values())


@pytest.mark.needs("metrics", "s3")
def test_kubectl_top_knows_what_a_pod_uses(kubectl: Kubectl) -> None:
    for _ in attempts("a number for the pod", 120):  # a pod is measured twice before there is one
        with suppress(KubectlFailed):
            name, _, memory = kubectl("top", "pods", "--no-headers", f"--namespace={s3.NAMESPACE}").split()
            break
    assert name.startswith(s3.SERVICE)
    assert int(memory.removesuffix("Mi")) > 0


# --- Kueue ------------------------------------------------------------------------------------------------------------


@contextmanager
def queue(api: KubernetesApi, namespace: str, name: str, cpu: str) -> Iterator[str]:
    """Give the name of a LocalQueue for which there is this much quota."""
    version = CLUSTER_QUEUES.api_version
    resources = [{"name": "cpu", "nominalQuota": cpu}, {"name": "memory", "nominalQuota": "1Gi"}]
    groups = [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": name, "resources": resources}]}]
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    spec = {"namespaceSelector": here, "resourceGroups": groups}
    made: Object = {"apiVersion": version, "metadata": {"name": name}}
    api.patch(NAMESPACES, namespace, {"metadata": {"labels": {kueue.NAMESPACE_LABEL: "true"}}})
    try:
        api.create({**made, "kind": "ResourceFlavor"})
        api.create({**made, "kind": "ClusterQueue", "spec": spec})
        api.create({**made, "kind": "LocalQueue", "spec": {"clusterQueue": name}}, namespace)
        yield name
    finally:
        for resource in (CLUSTER_QUEUES, FLAVORS):
            api.delete(resource, name)


@pytest.mark.needs("kueue")
def test_kueue_holds_a_job_back_until_there_is_quota(
    api: KubernetesApi, namespace: str, unique: str, probe: str
) -> None:
    with queue(api, namespace, unique, cpu="0") as local_queue:
        labels = {"kueue.x-k8s.io/queue-name": local_queue}
        made = job("waiting", probe, "connect", API_SERVER, "20", labels=labels)
        assert "suspend" not in made["spec"]
        api.create(made, namespace)
        what = "a workload that waits for quota"
        [workload] = api.wait(WORKLOADS, namespace, lambda there: _waiting(list(there.values())), what=what)
        assert "insufficient" in str(workload["status"]["conditions"])
        assert api.get(JOBS, "waiting", namespace)["spec"]["suspend"] is True
        assert api.objects(PODS, namespace) == []

        change = {"op": "replace", "path": "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota", "value": "1"}
        api.patch(CLUSTER_QUEUES, unique, [change], kind="json")
        done = api.wait_for(JOBS, "waiting", namespace, has_condition("Complete"), what="a Job that was let go")
    assert done["spec"]["suspend"] is False


def _waiting(workloads: list[Object]) -> list[Object] | None:
    return [each for each in workloads if has_condition("QuotaReserved", "False")(each)] or None


@pytest.mark.needs("kueue")
def test_kueue_leaves_the_jobs_of_other_namespaces_alone(api: KubernetesApi, namespace: str, probe: str) -> None:
    api.create(job("free", probe, "connect", API_SERVER, "20"), namespace)
    api.wait_for(JOBS, "free", namespace, has_condition("Complete"), what="a Job that nobody holds back")
    assert api.objects(WORKLOADS, namespace) == []


@pytest.mark.needs("kueue")
def test_kueue_refuses_a_queue_that_makes_no_sense(api: KubernetesApi, unique: str) -> None:
    made = {"apiVersion": CLUSTER_QUEUES.api_version, "kind": "ClusterQueue", "metadata": {"name": unique}}
    with pytest.raises(ApiRefused, match="namespaceSelector"):
        api.create({**made, "spec": {"namespaceSelector": {"matchLabels": {"not a label": "x"}}}})


# --- kwok -------------------------------------------------------------------------------------------------------------

SIMULATED = 50


@pytest.fixture(scope="module")
def simulated(kubectl: Kubectl, lacking: Lacks) -> Iterator[str]:
    """The name by which a node selector finds fifty simulated nodes."""
    if reason := lacking("kwok"):
        pytest.skip(reason)
    name = f"simulated-{uuid4().hex[:6]}"
    with kwok.simulate_nodes(kubectl, name, SIMULATED):
        yield name


def on_simulated(nodes: str) -> Object:
    """Return what brings pods to these nodes."""
    return {"nodeSelector": {"simulated": nodes}, "tolerations": [kwok.TOLERATION]}


def index_of(pod: Object) -> int:
    return int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"])


def test_pods_of_a_job_complete_on_fifty_simulated_nodes(api: KubernetesApi, namespace: str, simulated: str) -> None:
    indexes = {"completionMode": "Indexed", "completions": SIMULATED, "parallelism": SIMULATED}
    annotations = {kwok.MESSAGE: '{"rows": 569}'}
    api.create(job("many", "penstock/jobs", pod=on_simulated(simulated), annotations=annotations, **indexes), namespace)
    api.wait_for(JOBS, "many", namespace, has_condition("Complete"), what="a Job that is complete")
    pods = api.objects(PODS, namespace)
    assert {pod["spec"]["nodeName"].rpartition("-")[0] for pod in pods} == {simulated}
    assert sorted(index_of(pod) for pod in pods) == list(range(SIMULATED))
    ends = [pod["status"]["containerStatuses"][0]["state"]["terminated"] for pod in pods]
    assert {(end["exitCode"], end["message"]) for end in ends} == {(0, '{"rows": 569}')}


def test_a_simulated_pod_fails_as_its_annotation_says(api: KubernetesApi, namespace: str, simulated: str) -> None:
    annotations = {kwok.EXIT_CODE: "42", kwok.DELAY: "1s"}
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    made = job("bad", "penstock/jobs", pod=on_simulated(simulated), annotations=annotations)
    api.create({**made, "spec": {**made["spec"], "podFailurePolicy": {"rules": [rule]}}}, namespace)
    failed = api.wait_for(JOBS, "bad", namespace, has_condition("Failed"), what="a Job that failed")
    [condition] = [each for each in failed["status"]["conditions"] if each["type"] == "Failed"]
    assert condition["reason"] == "PodFailurePolicy"
    assert "exit code 42" in condition["message"]


def test_pods_that_do_not_ask_for_it_go_to_no_simulated_node(
    api: KubernetesApi, namespace: str, simulated: str
) -> None:
    made = job("stranger", "penstock/jobs", pod={"nodeSelector": {"simulated": simulated}})
    api.create(made, namespace)

    def told(pods: dict[str, Object]) -> str | None:
        conditions = [each for pod in pods.values() for each in pod.get("status", {}).get("conditions", [])]
        return next((each["message"] for each in conditions if each.get("reason") == "Unschedulable"), None)

    assert "untolerated taint" in api.wait(PODS, namespace, told, what="a pod without place")


# --- Gateway API ------------------------------------------------------------------------------------------------------


def route(**rule: Any) -> Object:
    spec = {"parentRefs": [{"name": "front"}], "hostnames": ["models.example.org"], "rules": [rule]}
    made = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "model"}}
    return {**made, "spec": spec}


@pytest.mark.needs("gateway-api")
def test_a_gateway_and_a_route_to_a_model_are_accepted(
    api: KubernetesApi, namespace: str, unique: str, accepted_only: AcceptedOnly
) -> None:
    version = GATEWAY_CLASSES.api_version
    controller = {"controllerName": "penstock.dev/no-such-controller"}
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    front = {"gatewayClassName": unique, "listeners": [listener]}
    backend = {"backendRefs": [{"name": "model", "port": 80}]}
    api.create({"apiVersion": version, "kind": "GatewayClass", "metadata": {"name": unique}, "spec": controller})
    try:
        api.create({"apiVersion": version, "kind": "Gateway", "metadata": {"name": "front"}, "spec": front}, namespace)
        made = api.create(route(**backend), namespace)
    finally:
        api.delete(GATEWAY_CLASSES, unique)
    assert made["spec"]["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    accepted_only("HTTPRoute", "The cluster of the tests has the Gateway API and no controller that routes by it.")


@pytest.mark.needs("gateway-api")
def test_a_route_that_makes_no_sense_is_refused(api: KubernetesApi, namespace: str) -> None:
    with pytest.raises(ApiRefused, match="value must be an absolute path and start with '/'"):
        api.create(route(matches=[{"path": {"type": "PathPrefix", "value": "no-slash"}}]), namespace)


@pytest.mark.needs("gateway-api")
def test_an_addon_whose_installation_was_cut_short_is_made_whole(
    api: KubernetesApi, cluster: Cluster, kubectl: Kubectl
) -> None:
    if not addons.is_ours(cluster, "gateway-api"):
        pytest.skip("The cluster had the Gateway API before the tests came.")
    lost = "tcproutes.gateway.networking.k8s.io"  # which nobody here uses
    kubectl("delete", "crd", lost)
    kubectl.apply([addon.mark_object("gateway-api", addon.BEGUN)])
    addons.install(cluster, ["gateway-api"])
    assert has_condition("Established")(api.get(CRDS, lost))
    assert addon.read_mark(kubectl, "gateway-api") != addon.BEGUN


# --- S3 ---------------------------------------------------------------------------------------------------------------


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize("bucket", [BUCKET, LAKE])
def test_the_writer_writes_what_the_reader_reads(buckets: Buckets, bucket: str, unique: str) -> None:
    writer, reader = (s3.client(buckets.endpoint, each) for each in (buckets.server.writer, buckets.server.reader))
    writer.put_object(Bucket=bucket, Key=f"{unique}/a", Body=b"1")
    assert reader.get_object(Bucket=bucket, Key=f"{unique}/a")["Body"].read() == b"1"
    assert [each["Key"] for each in reader.list_objects_v2(Bucket=bucket, Prefix=unique)["Contents"]] == [f"{unique}/a"]


@pytest.mark.parametrize("bucket", [BUCKET, LAKE])
def test_the_reader_cannot_write_overwrite_or_delete(buckets: Buckets, bucket: str, unique: str) -> None:
    writer, reader = (s3.client(buckets.endpoint, each) for each in (buckets.server.writer, buckets.server.reader))
    writer.put_object(Bucket=bucket, Key=f"{unique}/a", Body=b"1")
    for key in ("a", "b"):
        with pytest.raises(ClientError) as refused:
            reader.put_object(Bucket=bucket, Key=f"{unique}/{key}", Body=b"2")
        assert refusal(refused) == "AccessDenied"
    with pytest.raises(ClientError) as refused:
        reader.delete_object(Bucket=bucket, Key=f"{unique}/a")
    assert refusal(refused) == "AccessDenied"
    assert reader.get_object(Bucket=bucket, Key=f"{unique}/a")["Body"].read() == b"1"


def test_neither_account_gives_itself_rights(buckets: Buckets) -> None:
    for account in (buckets.server.reader, buckets.server.writer):
        everything = s3.policy(BUCKET, buckets.server.reader, buckets.server.reader)
        with pytest.raises(ClientError) as refused:
            s3.client(buckets.endpoint, account).put_bucket_policy(Bucket=BUCKET, Policy=everything)
        assert refusal(refused) == "AccessDenied"


def test_who_puts_second_where_nothing_should_be_is_refused(buckets: Buckets, unique: str) -> None:
    writer = s3.client(buckets.endpoint, buckets.server.writer)
    writer.put_object(Bucket=BUCKET, Key=unique, Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        writer.put_object(Bucket=BUCKET, Key=unique, Body=b"second", IfNoneMatch="*")
    assert refusal(refused) == "PreconditionFailed"
    assert writer.get_object(Bucket=BUCKET, Key=unique)["Body"].read() == b"first"


@pytest.mark.needs("s3")
def test_pods_reach_the_s3_server_by_its_name(api: KubernetesApi, namespace: str, probe: str) -> None:
    address = s3.INSIDE.removeprefix("http://")
    api.create(job("ask", probe, "connect", address, "20"), namespace)
    api.wait_for(JOBS, "ask", namespace, has_condition("Complete"), what="a Job that reached the S3 server")
