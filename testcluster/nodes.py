"""Which nodes of a cluster run pods, and what they offer. Pure."""

from collections.abc import Iterable

from testcluster.kubectl import Object

GPU_RESOURCE = "nvidia.com/gpu"
SIMULATED = "kwok.x-k8s.io/node"


def real_nodes(nodes: Iterable[Object]) -> list[Object]:
    """Return the nodes that run pods: Ready, not the control plane, and not simulated.

    One that is cordoned counts: most often it is a test beside that cordoned it, and will open it again.
    """
    return [
        node
        for node in nodes
        if SIMULATED not in node["metadata"].get("annotations", {})
        and not _is_control_plane(node)
        and any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions", []))
    ]


def gpus(node: Object) -> int:
    """Return how many GPUs a node offers to pods."""
    return int(node["status"].get("allocatable", {}).get(GPU_RESOURCE, 0))


def _is_control_plane(node: Object) -> bool:
    taints = node["spec"].get("taints", [])
    return any(taint["key"] == "node-role.kubernetes.io/control-plane" for taint in taints)
