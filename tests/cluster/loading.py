"""Our own images on the nodes of the cluster: built where they are not, brought there once for each content."""

from pathlib import Path

from cluster.kubernetes_api import NAMESPACES, connect
from penstock_images.building import Builder
from testcluster import cache
from testcluster.cluster import Cluster
from testcluster.sentences import say, timed


def loaded(cluster: Cluster, name: str) -> str:
    """Return the reference of `penstock/NAME` once the nodes have it. Processes that ask at once wait for the first."""
    with cache.lock(f"image-{name}", f"the image {name}"):
        built = Builder(None, None, say).build(name)
        mark = _mark(cluster, built.reference)
        if not mark.exists():
            with timed(f"loaded {built.reference}"):
                cluster.load(built.archive)
            mark.touch()
        return built.reference


def _mark(cluster: Cluster, reference: str) -> Path:
    """Return the file that says that this very cluster has the image; one that was made anew has another uid."""
    uid = connect(cluster.kubeconfig).get(NAMESPACES, "kube-system")["metadata"]["uid"]
    return cache.folder("loaded", uid) / reference.replace("/", "_")
