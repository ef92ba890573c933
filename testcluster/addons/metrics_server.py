"""metrics-server: what pods and nodes use, for `kubectl top` and autoscaling."""

from testcluster import programs
from testcluster.addons import manifests, shipped
from testcluster.addons.addon import SECONDS, Addon
from testcluster.addons.archive import ProgramImage
from testcluster.kubectl import Kubectl, KubectlFailed, Object
from testcluster.nodes import real_nodes
from testcluster.patience import attempts

MODULE = "sigs.k8s.io/metrics-server"


def image() -> ProgramImage:
    """Return the image of the one program."""
    program = programs.build("metrics-server") / "metrics-server"
    return ProgramImage("penstock-test/metrics-server", {"/metrics-server": program}, ("/metrics-server",))


def objects(reference: str) -> list[Object]:
    """Return what its makers ship, for kubelets that sign their own certificates."""
    made = shipped.kustomize(shipped.folder("metrics-server", MODULE, "manifests", "base"))
    made = manifests.with_small_requests(manifests.with_image(made, reference))
    # Two measurements make the first number: at the shortest interval that it takes, a test waits 20 s and not 30.
    often = ("--metric-resolution=10s", "--kubelet-request-timeout=5s")
    made = manifests.with_arguments(made, "--kubelet-insecure-tls", *often)
    return manifests.with_early_probes(made)


def nodes_with_numbers(kubectl: Kubectl) -> set[str]:
    """Return the nodes of which there are numbers."""
    try:
        found = kubectl.raw("/apis/metrics.k8s.io/v1beta1/nodes")
    except KubectlFailed:
        return set()
    return {each["metadata"]["name"] for each in found["items"]}


def wait_for_numbers(kubectl: Kubectl) -> None:
    """Wait until every node that runs pods was measured: the server is ready as soon as one was."""
    for _ in attempts("metrics of every node", SECONDS):
        nodes = {each["metadata"]["name"] for each in real_nodes(kubectl.items("nodes"))}
        if nodes <= nodes_with_numbers(kubectl):
            return


ADDON = Addon("metrics-server", objects, image, after=wait_for_numbers)
