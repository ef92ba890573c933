"""The cluster of the real programs, as processes of this machine."""

import json
import os
import platform
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testcluster import cache
from testcluster.cluster import Cluster, ClusterNode
from testcluster.kubectl import Kubectl, KubectlFailed
from testcluster.machine import folders, images, leftovers, processes, start
from testcluster.machine.plan import GPU_NODES, GPU_RESOURCE, GPUS, NODES
from testcluster.packages import ensure
from testcluster.sentences import Lacking, report_duration


class Machine:
    """The provider where there is no container engine."""

    name = "machine"

    def find(self) -> Cluster | None:
        """Return the cluster if all of it is up."""
        if processes.find_inside(folders.plan()) is None or not folders.kubeconfig().exists():
            return None
        return cluster() if is_well() else None

    def up(self) -> Cluster:
        """Bring the cluster up. What an earlier start left half-made is removed first."""
        if reason := why_impossible():
            raise Lacking(reason)
        ensure(start.PACKAGES)
        built, pause = start.build()
        with cache.lock("machine", "the cluster"):
            if self.find() is None:
                leftovers.remove()
                leftovers.refuse_what_is_in_the_way()
                try:
                    with report_duration("the cluster is up"):
                        finish(start.start(built, pause))
                except Lacking:
                    leftovers.keep_logs()
                    leftovers.remove()
                    raise
                except BaseException:
                    leftovers.remove()
                    raise
            return cluster()

    def down(self, everything: bool = False) -> None:
        """Remove the cluster; with `everything` the images that its nodes keep as well."""
        with cache.lock("machine", "the cluster"):
            if everything:
                leftovers.remove_everything()
            else:
                leftovers.remove()

    def troubles(self) -> list[str]:
        """Return which programs died and were started again."""
        again = Counter(str(fact["again"]) for fact in start.read_progress() if "again" in fact)
        return [
            f"{name} of the cluster died and was started again ({times}): see {folders.run() / 'logs' / f'{name}.log'}"
            for name, times in again.items()
        ]

    def load(self, cluster: Cluster, image_archive: Path, nodes: tuple[str, ...]) -> None:
        """Import an image into the container runtimes, side by side."""
        inner = processes.find_inside(folders.plan())
        if inner is None:
            raise Lacking("The test cluster is not up; bring it up with `make cluster`.")
        chosen = [node for node in NODES if not nodes or node.name in nodes]
        with ThreadPoolExecutor() as side_by_side:
            for done in [side_by_side.submit(images.bring, node, image_archive, inner) for node in chosen]:
                done.result()


def why_impossible() -> str:
    """Say why this machine cannot run the programs; nothing if it can."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "The cluster of plain processes needs root on Linux."
    return ""


def finish(first: "subprocess.Popen[bytes]") -> None:
    """Wait for the programs, open the way in, and wait for the nodes."""
    for name in start.follow(first):
        if name == "namespaces":
            start.open_the_way_in()
    made = folders.run() / "configurations" / "admin.kubeconfig"
    with report_duration("nodes are ready"):
        wait_for_nodes(Kubectl(made))
    # Last: with it the cluster is found, and taken for whole.
    made.chmod(0o600)
    made.rename(folders.kubeconfig())


def wait_for_nodes(kubectl: Kubectl) -> None:
    """Wait for nodes that take pods, and advertise the GPUs. The namespace `default` is usable then."""
    nodes = [f"node/{node.name}" for node in NODES]
    kubectl.wait("create", *nodes)
    kubectl.wait("condition=Ready", *nodes)
    for node in GPU_NODES:
        advertise(kubectl, node.name, GPU_RESOURCE, GPUS)
    kubectl.wait("create", "serviceaccount/default", "--namespace=default")


def advertise(kubectl: Kubectl, node: str, resource: str, count: int) -> None:
    """Let a node have an extended resource: what pods ask of it is counted, though no device is there."""
    name = resource.replace("~", "~0").replace("/", "~1")
    # The kubelet takes what is allocatable from the capacity, but only when it next looks.
    paths = [f"/status/{part}/{name}" for part in ("capacity", "allocatable")]
    patch = json.dumps([{"op": "add", "path": path, "value": str(count)} for path in paths])
    kubectl("patch", "node", node, "--subresource=status", "--type=json", f"--patch={patch}")


def is_well() -> bool:
    """Whether the API server answers the host and finds itself well."""
    try:
        return Kubectl(folders.kubeconfig())("get", "--raw=/readyz", timeout=10) == "ok"
    except (KubectlFailed, subprocess.TimeoutExpired):
        return False


def cluster() -> Cluster:
    """Return the cluster as the tests see it."""
    gpus = {node.name: GPUS for node in GPU_NODES}
    nodes = tuple(ClusterNode(node.name, gpus.get(node.name, 0)) for node in NODES)
    return Cluster(Machine.name, folders.kubeconfig(), nodes)
