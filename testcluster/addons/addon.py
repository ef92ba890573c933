"""What an addon is, and how it is installed: the same on every cluster, and once for each content."""

from collections.abc import Callable
from dataclasses import dataclass

from testcluster import cache
from testcluster.addons import manifests
from testcluster.addons.archive import ImageArchive, ProgramImage, archive
from testcluster.addons.target import AddonTarget
from testcluster.bringing import bring, name_for_pods
from testcluster.kubectl import Kubectl, KubectlFailed, Object
from testcluster.sentences import report_duration

NAMESPACE = "penstock-test-addons"
SECONDS = 180
BEGUN = "begun"


def do_nothing(_: Kubectl) -> None:
    """Leave it at the objects."""


@dataclass(frozen=True)
class Addon:
    """A part that a cluster may have. `objects` are made with the reference of its image, if it runs one."""

    name: str
    objects: Callable[[str], list[Object]]
    image: Callable[[], ProgramImage] | None = None
    before: Callable[[Kubectl], None] = do_nothing  # runs once its namespace is there
    after: Callable[[Kubectl], None] = do_nothing  # runs once its pods are ready

    def build(self) -> tuple[ImageArchive | None, list[Object]]:
        """Return the archive of its image, built where it is not, and its objects."""
        made = archive(self.image()) if self.image else None
        return made, self.objects(name_for_pods(made) if made else "")


def install(cluster: AddonTarget, addon: Addon) -> None:
    """Install an addon and wait until it is ready. What is there already, in this very form, is left alone."""
    kubectl = Kubectl(cluster.kubeconfig)
    with cache.lock(f"addon-{addon.name}", f"{addon.name} in the cluster"):
        image, objects = addon.build()
        mark = manifests.fingerprint(objects)
        if read_mark(kubectl, addon.name) == mark:
            return
        with report_duration(f"installed {addon.name}"):
            _write_mark(kubectl, addon.name, BEGUN)
            if image:
                bring(cluster, image)
            _apply(kubectl, addon, objects)
            _write_mark(kubectl, addon.name, mark)


def read_mark(kubectl: Kubectl, name: str) -> str | None:
    """Return which form of the addon we installed: BEGUN where that was cut short, None where we did not."""
    found = kubectl.get("configmap", name, "--namespace", NAMESPACE)
    return str(found["data"]["mark"]) if found else None


def _apply(kubectl: Kubectl, addon: Addon, objects: list[Object]) -> None:
    first, rest, last = manifests.waves(objects)
    kubectl.apply(first)
    crds = [each["metadata"]["name"] for each in first if each["kind"] == "CustomResourceDefinition"]
    if crds:
        kubectl.wait("condition=Established", *(f"crd/{name}" for name in crds))
    addon.before(kubectl)
    kubectl.apply(rest)
    for workload in manifests.workloads(rest):
        wait_for_rollout(kubectl, workload)
    kubectl.apply(last)
    if last:
        kubectl.wait("condition=Available", *(f"apiservice/{each['metadata']['name']}" for each in last))
    addon.after(kubectl)


def wait_for_rollout(kubectl: Kubectl, workload: Object) -> None:
    """Wait until all pods of a workload are new and ready; say what they are waiting for if they do not get there."""
    name, namespace = workload["metadata"]["name"], workload["metadata"]["namespace"]
    target = f"{workload['kind'].lower()}/{name}"
    try:
        kubectl("rollout", "status", target, "--namespace", namespace, f"--timeout={SECONDS}s", timeout=SECONDS + 30)
    except KubectlFailed as failed:
        events = kubectl("events", "--namespace", namespace, "--types=Warning")
        raise KubectlFailed(
            f"{failed}\nThe last warnings there:\n{events}{_last_words(kubectl, target, namespace)}"
        ) from None


def _last_words(kubectl: Kubectl, target: str, namespace: str) -> str:
    try:
        return "Its last lines:\n" + kubectl("logs", target, "--namespace", namespace, "--tail=10")
    except KubectlFailed as no_log:
        return str(no_log)


def mark_object(name: str, mark: str) -> Object:
    """Return the object that says in the cluster which form of an addon we installed."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mark": mark}}


def _write_mark(kubectl: Kubectl, name: str, mark: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kubectl.apply([namespace, mark_object(name, mark)])
