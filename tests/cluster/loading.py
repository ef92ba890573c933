"""Our own images on the nodes of the cluster: built where they are not, brought there once for each content."""

import os
import time
from pathlib import Path

from testcluster import cache
from testcluster.cluster import Cluster

REGISTRY = "REGISTRY"  # as in `make images REGISTRY=…`: where a cluster that pulls its images has them


def loaded(cluster: Cluster, name: str) -> str:
    """Return the reference of `penstock/NAME` once the nodes have it. Processes that ask at once wait for the first.

    Raises:
        Lacking: it cannot be built here, or cannot be brought to this cluster.
    """
    from testcluster import images

    with cache.lock(f"image-{name}", f"the image {name}"):
        reference, archive = images.archive(name)
        if registry := os.environ.get(REGISTRY):
            return f"{registry.rstrip('/')}/{reference}"
        mark = _mark(cluster, reference)
        if not mark.exists():
            began = time.monotonic()
            cluster.load(archive)
            mark.write_text(f"{reference} was loaded in {time.monotonic() - began:.0f} s")
        return reference


def loaded_since(moment: float) -> list[str]:
    """Return what was said of each image that was brought to a cluster since then, a time of the system's clock."""
    marks = sorted(cache.folder("loaded").glob("*/*"), key=lambda mark: mark.stat().st_mtime)
    return [mark.read_text() for mark in marks if mark.stat().st_mtime >= moment]


def _mark(cluster: Cluster, reference: str) -> Path:
    """Return the file that says that this very cluster has the image; one that was made anew has another uid."""
    from cluster.kubernetes_api import NAMESPACES, connect  # not above: each run of any test reads this module

    uid = connect(cluster.kubeconfig).get(NAMESPACES, "kube-system")["metadata"]["uid"]
    return cache.folder("loaded", uid) / reference.replace("/", "_")
