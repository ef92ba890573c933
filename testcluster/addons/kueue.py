"""Kueue: quota for Jobs. Its certificates are its own; its webhooks see only the namespaces that ask for it."""

from testcluster import programs
from testcluster.addons import manifests, shipped
from testcluster.addons.addon import SECONDS, Addon
from testcluster.addons.archive import ProgramImage
from testcluster.kubectl import Kubectl, KubectlFailed, Object
from testcluster.patience import attempts

MODULE = "sigs.k8s.io/kueue"
# A namespace with this label has Kueue hold back its Jobs, as a cluster with Kueue does for all of them.
NAMESPACE_LABEL = "penstock-test/kueue"


def image() -> ProgramImage:
    """Return the image of the one program."""
    program = programs.build("kueue") / "kueue"
    return ProgramImage("penstock-test/kueue", {"/manager": program}, ("/manager",))


def objects(reference: str) -> list[Object]:
    """Return what its makers ship, without the API that shows who is waiting: nothing here asks it."""
    made = shipped.kustomize(shipped.folder("kueue", MODULE, "config", "default"))
    made = manifests.drop_kinds(made, "APIService")
    made = manifests.with_webhooks_for(made, NAMESPACE_LABEL)
    made = manifests.with_small_requests(manifests.with_image(made, reference))
    return manifests.with_early_probes(made)


def wait_until_it_admits(kubectl: Kubectl) -> None:
    """Wait until a ResourceFlavor passes its webhooks: the pods are ready some moments before their Service is."""
    flavor = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": "probe"}}
    for _ in attempts("Kueue's webhooks to answer", SECONDS):
        try:
            kubectl.apply([flavor], only_ask=True)
        except KubectlFailed:
            continue
        return


ADDON = Addon("kueue", objects, image, after=wait_until_it_admits)
