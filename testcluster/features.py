"""What a cluster has. It is found by asking the cluster, not by knowing which one it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from testcluster import addons, probes
from testcluster.addons import metrics_server
from testcluster.addons.target import AddonTarget
from testcluster.kubectl import Kubectl, Object
from testcluster.nodes import GPU_RESOURCE, gpus, real_nodes
from testcluster.sentences import Lacking


@dataclass(frozen=True)
class ClusterFeature:
    """Something that not every cluster has. `missing` asks, and returns the sentence that says what is not there."""

    name: str
    missing: Callable[[AddonTarget], str | None]
    addon: str | None = None  # what brings it where it is not there


def why_not(cluster: AddonTarget, name: str) -> str | None:
    """Return why the cluster has no such feature, or None. What an addon can bring is brought.

    What is there and not ours is left alone. What is ours is brought to the form that it has now: it may be of another
    version, or half of it, where whoever installed it was killed.
    """
    feature = FEATURES[name]
    reason = feature.missing(cluster)
    if feature.addon is None or (reason is None and not addons.is_ours(cluster, feature.addon)):
        return reason
    try:
        addons.install(cluster, [feature.addon])
    except Lacking as lacking:
        return f"{reason or ''} It was not to be had here: {lacking}".strip()
    return feature.missing(cluster)


def two_nodes(cluster: AddonTarget) -> str | None:
    """Ask for two nodes that really run pods and that any pod may go to, or that a test can tolerate."""
    names = [each["metadata"]["name"] for each in real_nodes(_nodes(cluster))]
    return None if len(names) > 1 else f"The cluster has {len(names)} node that runs pods, and this needs two."


def gpu(cluster: AddonTarget) -> str | None:
    """Ask for a node that says that it has GPUs."""
    having = [each for each in real_nodes(_nodes(cluster)) if gpus(each)]
    return None if having else f"No node of the cluster has the resource {GPU_RESOURCE}."


def metrics(cluster: AddonTarget) -> str | None:
    """Ask for a metrics API that has numbers."""
    measured = metrics_server.nodes_with_numbers(Kubectl(cluster.kubeconfig))
    return None if measured else "The cluster has no metrics API (metrics.k8s.io) with numbers."


def kueue(cluster: AddonTarget) -> str | None:
    """Ask for Kueue's API and for a controller that runs."""
    return _controller(cluster, "Kueue", "clusterqueues.kueue.x-k8s.io", "app.kubernetes.io/name=kueue")


def kwok(cluster: AddonTarget) -> str | None:
    """Ask for kwok's API and for a controller that runs."""
    return _controller(cluster, "kwok", "stages.kwok.x-k8s.io", "app=kwok-controller")


def gateway_api(cluster: AddonTarget) -> str | None:
    """Ask for the API in which routes are written."""
    return _crd(cluster, "httproutes.gateway.networking.k8s.io", "The cluster does not know the Gateway API.")


def storage_class(cluster: AddonTarget) -> str | None:
    """Ask for a default class, of which a claim gets its volume without naming any."""
    classes = Kubectl(cluster.kubeconfig).items("storageclasses")
    mark = "storageclass.kubernetes.io/is-default-class"
    default = [each for each in classes if each["metadata"].get("annotations", {}).get(mark) == "true"]
    return None if default else "The cluster has no default StorageClass, so no claim gets a volume by itself."


def s3(cluster: AddonTarget) -> str | None:
    """Ask for the S3 server of the tests."""
    found = Kubectl(cluster.kubeconfig).get("deployment", "s3", "--namespace", "penstock-test-storage")
    return None if found and _is_available(found) else "The cluster has no S3 server of the tests."


FEATURES: dict[str, ClusterFeature] = {
    each.name: each
    for each in (
        ClusterFeature("two-nodes", two_nodes),
        ClusterFeature("gpu", gpu),
        ClusterFeature("s3", s3, addon="s3"),
        ClusterFeature("metrics", metrics, addon="metrics-server"),
        ClusterFeature("kueue", kueue, addon="kueue"),
        ClusterFeature("kwok", kwok, addon="kwok"),
        ClusterFeature("gateway-api", gateway_api, addon="gateway-api"),
        ClusterFeature("storage-class", storage_class),
        ClusterFeature("egress", probes.no_egress),
        ClusterFeature("network-policy", probes.no_network_policy),
    )
}


def _nodes(cluster: AddonTarget) -> list[Object]:
    return Kubectl(cluster.kubeconfig).items("nodes")


def _crd(cluster: AddonTarget, name: str, reason: str) -> str | None:
    return None if Kubectl(cluster.kubeconfig).get("crd", name) else reason


def _controller(cluster: AddonTarget, what: str, crd: str, selector: str) -> str | None:
    if reason := _crd(cluster, crd, f"The cluster has no {what}."):
        return reason
    found = Kubectl(cluster.kubeconfig).items("deployments", "--all-namespaces", f"--selector={selector}")
    running = [each for each in found if _is_available(each)]
    return None if running else f"The cluster knows {what}'s API, and no controller of it runs."


def _is_available(deployment: dict[str, Any]) -> bool:
    conditions = deployment.get("status", {}).get("conditions", [])
    return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)
