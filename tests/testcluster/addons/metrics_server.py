"""metrics-server: what pods and nodes use, for `kubectl top` and autoscaling."""

from testcluster import programs
from testcluster.addons import manifests, shipped
from testcluster.addons.addon import Addon
from testcluster.addons.archive import Image
from testcluster.kubectl import Object

MODULE = "sigs.k8s.io/metrics-server"


def image() -> Image:
    """Return the image of the one program."""
    program = programs.build("metrics-server") / "metrics-server"
    return Image("penstock-test/metrics-server", {"/metrics-server": program}, ("/metrics-server",))


def objects(reference: str) -> list[Object]:
    """Return what its makers ship, for kubelets that sign their own certificates."""
    made = shipped.kustomized(shipped.folder("metrics-server", MODULE, "manifests", "base"))
    made = manifests.with_image(made, reference)
    # Two measurements make the first number: at the shortest interval that it takes, a test waits 20 s and not 30.
    often = ("--metric-resolution=10s", "--kubelet-request-timeout=5s")
    made = manifests.with_arguments(made, "--kubelet-insecure-tls", *often)
    return manifests.with_early_probes(made)


ADDON = Addon("metrics-server", objects, image)
