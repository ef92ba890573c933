"""A receiver of events as a process, with the rights of the chart alone, and who may bring events to it."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cluster.custom_resources import install
from cluster.kubernetes_api import KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, free_port, run_operator
from cluster.releases import install_release
from penstock.decide.events.limits import AUDIENCE
from testcluster.cluster import Cluster

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
KEY = b"a key of the test"


@dataclass(frozen=True)
class Receiver:
    """A receiver that runs, for the Triggers of a namespace."""

    api: KubernetesApi
    namespace: str
    port: int
    process: OperatorProcess

    def post(self, trigger: str, body: bytes, **headers: str) -> int:
        """Send the body to a Trigger, and return the status."""
        said = {"Content-Type": "application/json"} | {name.replace("_", "-"): each for name, each in headers.items()}
        address = f"http://127.0.0.1:{self.port}/v1/triggers/{self.namespace}/{trigger}"
        try:
            with urlopen(Request(address, body, said), timeout=30) as answer:
                status: int = answer.status
                return status
        except HTTPError as error:
            return error.code

    def runs(self) -> list[Object]:
        return self.api.objects(RUNS, self.namespace)

    def token(self, account: str, audience: str = AUDIENCE) -> str:
        """Return a token of the service account."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600, "audiences": [audience]},
        }
        return str(self.api.json("POST", path, asked)["status"]["token"])


@dataclass(frozen=True)
class ReceiverSite:
    """A namespace with the Trigger `arrivals` for tokens, `pushed` for signatures, and `sender`, who may bring to one.

    Several receivers may run in it, one after the other: all listen on one port.
    """

    api: KubernetesApi
    namespace: str
    kubeconfig: Path
    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @contextmanager
    def run_receiver(self) -> Iterator[Receiver]:
        """Start a receiver, and kill it in the end if it still runs."""
        settings = {"port": self.port, "keys": str(self.folder / "keys"), "drain": 0} | dict(self.settings)
        with run_operator(
            self.kubeconfig,
            self.namespace,
            self.folder,
            module="penstock.receiver",
            settings=settings,
            name="receiver",
            probed="healthPort",
        ) as process:
            process.wait_until_ready()
            yield Receiver(self.api, self.namespace, self.port, process)


@contextmanager
def open_receiver_site(
    api: KubernetesApi, cluster: Cluster, namespace: str, folder: Path, settings: Mapping[str, object] | None = None
) -> Iterator[ReceiverSite]:
    """Make the Triggers and who may bring events to them, and install the chart for the receiver's rights alone."""
    install(api)
    (folder / "keys").mkdir()
    (folder / "keys" / "git").write_bytes(KEY)
    for made in (*triggers(), *sender(namespace)):
        api.create(made, namespace)
    values = {
        "replicas": 0,
        "crds.install": False,
        "aggregateRoles": False,
        "namespaces": [namespace],
        "receiver.enabled": True,
        "receiver.replicas": 0,
        "receiver.tls.enabled": False,
    }
    with install_release(cluster.kubeconfig, namespace, values) as release:
        kubeconfig = release.kubeconfig_of(f"{release.name}-receiver", api, folder)
        yield ReceiverSite(api, namespace, kubeconfig, folder, settings or {})


def signature_of(body: bytes) -> str:
    """Return the signature of a body, as GitHub writes it."""
    return f"sha256={hmac.new(KEY, body, hashlib.sha256).hexdigest()}"


def triggers() -> Iterator[Object]:
    for name, event in (("arrivals", {}), ("pushed", {"signature": {"sender": "GitHub", "key": "git"}})):
        yield {
            "apiVersion": "penstock.dev/v1alpha1",
            "kind": "Trigger",
            "metadata": {"name": name},
            "spec": {"pipelineRef": {"name": "churn"}, "event": event},
        }


def sender(namespace: str) -> Iterator[Object]:
    group = "rbac.authorization.k8s.io"
    for name in ("sender", "stranger"):
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    right = {
        "apiGroups": ["penstock.dev"],
        "resources": ["triggers/events"],
        "resourceNames": ["arrivals"],
        "verbs": ["create"],
    }
    metadata = {"name": "brings-events"}
    yield {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": [right]}
    yield {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "brings-events"},
        "subjects": [{"kind": "ServiceAccount", "name": "sender", "namespace": namespace}],
    }
