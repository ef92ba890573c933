"""Our own images on the nodes of the cluster: built where they are not, brought there once for each content."""

import os
import time
from pathlib import Path

from testcluster import cache
from testcluster.cluster import Cluster

REGISTRY = "REGISTRY"  # as in `make images REGISTRY=…`: where a cluster that pulls its images has them


def load_image(cluster: Cluster, name: str) -> str:
    """Return the reference of `penstock/NAME` once the nodes have it. Processes that ask at once wait for the first.

    Raises:
        Lacking: it cannot be built here, or cannot be brought to this cluster.
    """
    from testcluster import images

    with cache.lock(f"image-{name}", f"the image {name}"):
        reference, archive = images.archive(name)
        if registry := os.environ.get(REGISTRY):
            return f"{registry.rstrip('/')}/{reference}"
        nodes = _nodes(cluster, name)
        mark = _mark(cluster, reference)
        if not mark.exists() and not _is_there(cluster, reference, nodes):
            began = time.monotonic()
            cluster.load(archive, nodes)
            mark.write_text(f"{reference} was loaded in {time.monotonic() - began:.0f} s")
        return reference


def list_loads_since(moment: float) -> list[str]:
    """Return what was said of each image that was brought to a cluster since then, a time of the system's clock."""
    marks = sorted(cache.folder("loaded").glob("*/*"), key=lambda mark: mark.stat().st_mtime)
    return [mark.read_text() for mark in marks if mark.stat().st_mtime >= moment]


def _nodes(cluster: Cluster, name: str) -> tuple[str, ...]:
    """Return the nodes that need the image; none named are all. That of torch is large, and is for nodes with GPUs."""
    return tuple(node.name for node in cluster.nodes if node.gpus) if name == "torch" else ()


def _is_there(cluster: Cluster, reference: str, nodes: tuple[str, ...]) -> bool:
    """Whether the nodes say that they have the image. They say so some seconds late, and of the largest 50 only."""
    from cluster.kubernetes_api import NODES, connect  # not above: each run of any test reads this module

    wanted = nodes or tuple(node.name for node in cluster.nodes)
    said = {
        node["metadata"]["name"]: [name for image in node["status"].get("images", []) for name in image["names"] or []]
        for node in connect(cluster.kubeconfig).objects(NODES)
    }
    return bool(wanted) and all(any(each.endswith(f"/{reference}") for each in said.get(name, [])) for name in wanted)


def _mark(cluster: Cluster, reference: str) -> Path:
    """Return the file that says that this very cluster has the image; one that was made anew has another uid."""
    from cluster.kubernetes_api import NAMESPACES, connect

    uid = connect(cluster.kubeconfig).get(NAMESPACES, "kube-system")["metadata"]["uid"]
    return cache.folder("loaded", uid) / reference.replace("/", "_")
