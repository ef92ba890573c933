"""Pods that find out what a cluster lets pods do, where no object says it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from testcluster import programs
from testcluster.addons.archive import ProgramImage, archive
from testcluster.addons.target import AddonTarget
from testcluster.bringing import bring
from testcluster.kubectl import Kubectl, KubectlFailed, Object
from testcluster.sentences import Lacking

# What an ordinary cluster's pods reach: whoever installs a package in a pod asks it.
OUTSIDE = "pypi.org:443"
TRYING = 5  # seconds
PORT = 8080
SECONDS = 60


def image() -> ProgramImage:
    """Return the image of the program that tries."""
    return ProgramImage("penstock-test/probe", {"/probe": programs.build("probe") / "probe"}, ("/probe",))


def no_egress(cluster: AddonTarget) -> str | None:
    """Try to reach a server outside of the cluster from a pod."""
    with _trial(cluster) as trial:
        reached = trial.succeeds("outside", "connect", OUTSIDE, str(TRYING))
    return None if reached else f"Pods reach nothing outside of the cluster: {OUTSIDE} did not answer in {TRYING} s."


def no_network_policy(cluster: AddonTarget) -> str | None:
    """Try to reach a pod that a NetworkPolicy forbids to be reached, and one that is free."""
    with _trial(cluster) as trial:
        trial.kubectl.apply([_deny(trial.namespace)])
        free, forbidden = (trial.listen(name) for name in ("free", "forbidden"))
        if not trial.succeeds("to-free", "connect", f"{free}:{PORT}", str(TRYING)):
            raise Lacking("One pod of the cluster does not reach another, though nothing forbids it.")
        enforced = trial.succeeds("to-forbidden", "refused", f"{forbidden}:{PORT}", str(TRYING))
    return None if enforced else "The cluster's network does not enforce NetworkPolicies."


class Trial:
    """A namespace for a moment, with pods of the program in it."""

    def __init__(self, kubectl: Kubectl, namespace: str, reference: str) -> None:
        self.kubectl, self.namespace, self.reference = kubectl, namespace, reference

    def listen(self, name: str) -> str:
        """Start a pod that answers; return its address."""
        self.kubectl.apply([self._pod(name, "listen", str(PORT))])
        self.kubectl.wait("condition=Ready", f"pod/{name}", "--namespace", self.namespace, seconds=SECONDS)
        address: str = self.kubectl.get("pod", name, "--namespace", self.namespace)["status"]["podIP"]
        return address

    def succeeds(self, name: str, *arguments: str) -> bool:
        """Run a pod to its end; return whether it exited with 0."""
        self.kubectl.apply([self._pod(name, *arguments)])
        ended = "jsonpath={.status.containerStatuses[0].state.terminated}"
        self.kubectl.wait(ended, f"pod/{name}", "--namespace", self.namespace, seconds=SECONDS)
        [container] = self.kubectl.get("pod", name, "--namespace", self.namespace)["status"]["containerStatuses"]
        return bool(container["state"]["terminated"]["exitCode"] == 0)

    def _pod(self, name: str, *arguments: str) -> Object:
        container = {
            "name": "probe",
            "image": self.reference,
            "imagePullPolicy": "IfNotPresent",
            "args": list(arguments),
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
        security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": False,
                "securityContext": security,
                "containers": [container],
            },
        }


@contextmanager
def _trial(cluster: AddonTarget) -> Iterator[Trial]:
    kubectl = Kubectl(cluster.kubeconfig)
    reference = bring(cluster, archive(image()))
    namespace = f"penstock-test-probe-{secrets.token_hex(3)}"
    kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])
    try:
        yield Trial(kubectl, namespace, reference)
    except KubectlFailed as failed:
        raise Lacking(f"What the cluster lets pods do could not be tried: {failed}") from None
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")


def _deny(namespace: str) -> Object:
    spec = {"podSelector": {"matchLabels": {"app": "forbidden"}}, "policyTypes": ["Ingress"]}
    metadata = {"name": "forbidden", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
