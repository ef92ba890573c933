"""The cluster on paper: its addresses, its ports, its two nodes. Labels and taints are those of kind-config.yaml.

All of it lives in a network namespace of its own, so these addresses and ports meet nobody else's, and what pods can
reach ends there. One pair of virtual interfaces leads in: by it the tests reach the API server, and nothing else.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

KIND_CONFIG = Path(__file__).parents[2] / "kind-config.yaml"
CLUSTER_DOMAIN = "cluster.local"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
# Which cluster of this machine it is. There is one, but for the tests of its own start and end, which need another
# beside the one that they run on. What the machine sees of a cluster has the number in it; all else is inside.
INSTANCE = int(os.environ.get("PENSTOCK_TEST_INSTANCE", "0"))
GROUP = f"penstock-test-{INSTANCE}"
# How many requests a second the controller manager may make. Without it, as many as everywhere: 20.
CONTROLLER_RATE = os.environ.get("PENSTOCK_TEST_CONTROLLER_RATE", "")
# The two ends of the way in: that of the host, and that of the cluster, where the API server is.
HOST_INTERFACE = f"penstock-test-{INSTANCE}"
INNER_INTERFACE = "penstock-door"
DOOR_PREFIX = 30
HOST_ADDRESS = f"10.244.255.{4 * INSTANCE + 1}"
API_ADDRESS = f"10.244.255.{4 * INSTANCE + 2}"
API_PORT = 6443
ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
API_URL = f"https://{API_ADDRESS}:{API_PORT}"
API_NAMES = (
    API_ADDRESS,
    FIRST_SERVICE,
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
)


@dataclass(frozen=True)
class Taint:
    """What keeps pods away that do not tolerate it."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}"


@dataclass(frozen=True)
class Node:
    """One kubelet with a container runtime, a bridge and a range of pod addresses of its own."""

    name: str
    index: int
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()

    @cached_property
    def bridge(self) -> str:
        """The name of its bridge: at most 15 characters."""
        return f"penstock-pods{self.index}"

    @cached_property
    def pod_range(self) -> str:
        """The addresses of its pods."""
        return f"10.244.{self.index}.0/24"

    @cached_property
    def address(self) -> str:
        """Its own address, which is its bridge's: a node's address must not be loopback."""
        return f"10.244.{self.index}.1"

    @cached_property
    def kubelet_port(self) -> int:
        """Where its kubelet answers. Both live in one network namespace, so the ports differ."""
        return 10250 + 10 * self.index

    @cached_property
    def health_port(self) -> int:
        """Where its kubelet says on loopback that it is well."""
        return 10248 + 10 * self.index

    @cached_property
    def cgroup(self) -> str:
        """Below which its pods are, so that neither kubelet sweeps the other's away."""
        return f"/{GROUP}/{self.name}"


def nodes_of(kind_config: dict[str, Any]) -> tuple[Node, ...]:
    """Return the workers of a kind configuration as nodes of this machine, under the names that kind gives them."""
    workers = [node for node in kind_config["nodes"] if node["role"] == "worker"]
    names = [f"{kind_config['name']}-worker{index + 1 if index else ''}" for index in range(len(workers))]
    return tuple(
        Node(name, index, dict(worker.get("labels", {})), taints_of(worker))
        for index, (name, worker) in enumerate(zip(names, workers, strict=True))
    )


def taints_of(worker: dict[str, Any]) -> tuple[Taint, ...]:
    """Return the taints that a worker of a kind configuration registers with."""
    patches = [yaml.safe_load(patch) for patch in worker.get("kubeadmConfigPatches", ())]
    return tuple(
        Taint(taint["key"], taint["value"], taint["effect"])
        for patch in patches
        for taint in patch.get("nodeRegistration", {}).get("taints", ())
    )


NODES = nodes_of(yaml.safe_load(KIND_CONFIG.read_text()))
# Nothing says this in kind's configuration: a node's resources are what its device plugins report.
GPU_RESOURCE = "nvidia.com/gpu"
GPUS = 2
GPU_NODES = tuple(node for node in NODES if any(taint.key == GPU_RESOURCE for taint in node.taints))
