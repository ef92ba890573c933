"""What a cluster has. It is found by asking the cluster, not by knowing which one it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from testcluster import addons, probes
from testcluster.addons.addon import Target
from testcluster.kubectl import Failed, Kubectl, Object
from testcluster.sentences import Lacking

GPU_RESOURCE = "nvidia.com/gpu"
SIMULATED = "kwok.x-k8s.io/node"


@dataclass(frozen=True)
class Feature:
    """Something that not every cluster has. `missing` asks, and returns the sentence that says what is not there."""

    name: str
    missing: Callable[[Target], str | None]
    addon: str | None = None  # what brings it where it is not there


def why_not(cluster: Target, name: str) -> str | None:
    """Return why the cluster has no such feature, or None. What an addon can bring is brought."""
    feature = FEATURES[name]
    reason = feature.missing(cluster)
    if reason is None or feature.addon is None:
        return reason
    try:
        addons.install(cluster, [feature.addon])
    except Lacking as lacking:
        return f"{reason} It was not to be had here: {lacking}"
    return feature.missing(cluster)


def two_nodes(cluster: Target) -> str | None:
    """Ask for two nodes that really run pods and that any pod may go to, or that a test can tolerate."""
    names = [each["metadata"]["name"] for each in real_nodes(_nodes(cluster))]
    return None if len(names) > 1 else f"The cluster has {len(names)} node that runs pods, and this needs two."


def gpu(cluster: Target) -> str | None:
    """Ask for a node that says that it has GPUs."""
    having = [each for each in real_nodes(_nodes(cluster)) if gpus(each)]
    return None if having else f"No node of the cluster has the resource {GPU_RESOURCE}."


def metrics(cluster: Target) -> str | None:
    """Ask for numbers of every node that runs pods."""
    try:
        found = Kubectl(cluster.kubeconfig).raw("/apis/metrics.k8s.io/v1beta1/nodes")
    except Failed:
        return "The cluster has no metrics API (metrics.k8s.io)."
    return None if found["items"] else "The cluster's metrics API knows no node yet."


def kueue(cluster: Target) -> str | None:
    """Ask for Kueue's API and for a controller that runs."""
    return _controller(cluster, "Kueue", "clusterqueues.kueue.x-k8s.io", "app.kubernetes.io/name=kueue")


def kwok(cluster: Target) -> str | None:
    """Ask for kwok's API and for a controller that runs."""
    return _controller(cluster, "kwok", "stages.kwok.x-k8s.io", "app=kwok-controller")


def gateway_api(cluster: Target) -> str | None:
    """Ask for the API in which routes are written."""
    return _crd(cluster, "httproutes.gateway.networking.k8s.io", "The cluster does not know the Gateway API.")


def storage_class(cluster: Target) -> str | None:
    """Ask for a default class, of which a claim gets its volume without naming any."""
    classes = Kubectl(cluster.kubeconfig).items("storageclasses")
    mark = "storageclass.kubernetes.io/is-default-class"
    default = [each for each in classes if each["metadata"].get("annotations", {}).get(mark) == "true"]
    return None if default else "The cluster has no default StorageClass, so no claim gets a volume by itself."


def s3(cluster: Target) -> str | None:
    """Ask for the S3 server of the tests."""
    found = Kubectl(cluster.kubeconfig).get("deployment", "s3", "--namespace", "penstock-test-storage")
    return None if found and _is_available(found) else "The cluster has no S3 server of the tests."


FEATURES: dict[str, Feature] = {
    each.name: each
    for each in (
        Feature("two-nodes", two_nodes),
        Feature("gpu", gpu),
        Feature("s3", s3, addon="s3"),
        Feature("metrics", metrics, addon="metrics-server"),
        Feature("kueue", kueue, addon="kueue"),
        Feature("kwok", kwok, addon="kwok"),
        Feature("gateway-api", gateway_api, addon="gateway-api"),
        Feature("storage-class", storage_class),
        Feature("egress", probes.no_egress),
        Feature("network-policy", probes.no_network_policy),
    )
}


def real_nodes(nodes: Iterable[Object]) -> list[Object]:
    """Return the nodes that run pods: Ready, not cordoned, and not simulated. Pure."""
    return [
        node
        for node in nodes
        if SIMULATED not in node["metadata"].get("annotations", {})
        and not node["spec"].get("unschedulable", False)
        and not _is_control_plane(node)
        and any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))
    ]


def gpus(node: Object) -> int:
    """Return how many GPUs a node offers to pods. Pure."""
    return int(node["status"].get("allocatable", {}).get(GPU_RESOURCE, 0))


def _is_control_plane(node: Object) -> bool:
    taints = node["spec"].get("taints", [])
    return any(taint["key"] == "node-role.kubernetes.io/control-plane" for taint in taints)


def _nodes(cluster: Target) -> list[Object]:
    return Kubectl(cluster.kubeconfig).items("nodes")


def _crd(cluster: Target, name: str, reason: str) -> str | None:
    return None if Kubectl(cluster.kubeconfig).get("crd", name) else reason


def _controller(cluster: Target, what: str, crd: str, selector: str) -> str | None:
    if reason := _crd(cluster, crd, f"The cluster has no {what}."):
        return reason
    found = Kubectl(cluster.kubeconfig).items("deployments", "--all-namespaces", f"--selector={selector}")
    running = [each for each in found if _is_available(each)]
    return None if running else f"The cluster knows {what}'s API, and no controller of it runs."


def _is_available(deployment: dict[str, Any]) -> bool:
    conditions = deployment.get("status", {}).get("conditions", [])
    return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)
