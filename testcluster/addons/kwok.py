"""kwok: nodes and pods that exist in the API only, for scale. Pods of a Job there end as their annotations say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from testcluster import programs
from testcluster.addons import manifests, shipped
from testcluster.addons.addon import SECONDS, Addon
from testcluster.addons.archive import ProgramImage
from testcluster.kubectl import Kubectl, Object
from testcluster.patience import attempts

MODULE = "sigs.k8s.io/kwok"
STAGES = Path(__file__).parent / "kwok_stages.yaml"
# On a pod: how long its containers run (as Go writes durations), how they exit, and what they leave as their message.
DELAY = "pod-complete.stage.kwok.x-k8s.io/delay"
EXIT_CODE = "penstock-test/exit-code"
MESSAGE = "penstock-test/termination-message"
# On a node: kwok plays it; and ordinary pods keep away.
PLAYED = {"kwok.x-k8s.io/node": "fake"}
TAINT = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}
CAPACITY = {"cpu": "32", "memory": "128Gi", "pods": "250"}


def image() -> ProgramImage:
    """Return the image of the one program."""
    return ProgramImage("penstock-test/kwok", {"/kwok": programs.build("kwok") / "kwok"}, ("/kwok",))


def objects(reference: str) -> list[Object]:
    """Return what its makers ship, with their stages for nodes and pods, and ours for how a Job's pod ends."""
    made = shipped.kustomize(shipped.folder("kwok", MODULE, "kustomize", "kwok"))
    stages = shipped.kustomize(shipped.folder("kwok", MODULE, "kustomize", "stage", "fast"))
    stages = [stage for stage in stages if stage["metadata"]["name"] != "pod-complete"]
    ours = list(yaml.safe_load_all(STAGES.read_text()))
    return manifests.with_early_probes(manifests.with_image([*made, *stages, *ours], reference))


ADDON = Addon("kwok", objects, image)


def node(name: str, labels: dict[str, str], capacity: dict[str, Any]) -> Object:
    """Return a node that kwok plays, and that only pods with TOLERATION go to."""
    known = {"type": "kwok", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**known, **labels}, "annotations": PLAYED},
        "spec": {"taints": [TAINT]},
        "status": {"capacity": capacity, "allocatable": capacity},
    }


@contextmanager
def simulate_nodes(
    kubectl: Kubectl, prefix: str, count: int, capacity: dict[str, Any] | None = None
) -> Iterator[list[str]]:
    """Give the names of new simulated nodes, Ready, with the label `simulated: PREFIX`; take them away after."""
    names = [f"{prefix}-{index}" for index in range(count)]
    label = {"simulated": prefix}
    try:
        kubectl.create([node(name, label, {**CAPACITY, **(capacity or {})}) for name in names])
        _wait_until_ready(kubectl, prefix)
        yield names
    finally:
        kubectl("delete", "nodes", "--selector", f"simulated={prefix}", "--ignore-not-found", "--wait=false")


def _wait_until_ready(kubectl: Kubectl, prefix: str) -> None:
    """Ask for all of them at once: `kubectl wait` watches one after the other, which takes seconds for fifty."""
    for _ in attempts("simulated nodes that are ready", SECONDS):
        if all(_is_ready(each) for each in kubectl.items("nodes", f"--selector=simulated={prefix}")):
            return


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
