"""Events by HTTP on a cluster: who may bring them the API server says, and each that is accepted is one run.

The receiver is a process that has the token of the chart's service account, and so the rights of the chart alone.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

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


@pytest.fixture
def receiver(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Receiver]:
    """A receiver, the Trigger `arrivals` for tokens, `pushed` for signatures, and `sender`, who may bring to one."""
    install(api)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "git").write_bytes(KEY)
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
    settings = {"port": free_port(), "keys": str(tmp_path / "keys"), "drain": 0}
    with install_release(cluster.kubeconfig, namespace, values) as release:
        kubeconfig = release.kubeconfig_of(f"{release.name}-receiver", api, tmp_path)
        with run_operator(
            kubeconfig,
            namespace,
            tmp_path,
            module="penstock.receiver",
            settings=settings,
            name="receiver",
            probed="healthPort",
        ) as process:
            process.wait_until_ready()
            yield Receiver(api, namespace, int(str(settings["port"])), process)


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


def test_a_signed_webhook_makes_one_run_however_often_it_comes(receiver: Receiver) -> None:
    body = json.dumps({"ref": "refs/heads/main", "after": "4bf5122f"}).encode()
    signature = f"sha256={hmac.new(KEY, body, hashlib.sha256).hexdigest()}"

    sent = [receiver.post("pushed", body, X_Hub_Signature_256=signature, X_GitHub_Event="push") for _ in range(3)]

    assert sent == [202, 202, 202]
    (run,) = receiver.runs()
    assert run["spec"]["suspend"] is True
    assert run["spec"]["trigger"]["event"]["type"] == "push"
    assert receiver.post("pushed", body + b" ", X_Hub_Signature_256=signature) == 401
    assert len(receiver.runs()) == 1


def test_only_a_service_account_with_the_right_and_a_token_for_us_brings_events(receiver: Receiver) -> None:
    def bring(token: str, trigger: str = "arrivals") -> int:
        return receiver.post(trigger, b"{}", Authorization=f"Bearer {token}")

    assert receiver.post("arrivals", b"{}") == 401
    assert bring(receiver.token("stranger")) == 403
    assert bring(receiver.token("sender", "https://kubernetes.default.svc.cluster.local")) == 401
    assert bring(receiver.token("sender"), "another") == 403
    assert receiver.runs() == []

    assert bring(receiver.token("sender")) == 202
    assert len(receiver.runs()) == 1


def test_an_accepted_event_is_there_when_the_receiver_is_killed(receiver: Receiver) -> None:
    token = receiver.token("sender")
    assert receiver.post("arrivals", b"{}", Authorization=f"Bearer {token}", Idempotency_Key="one") == 202

    receiver.process.kill()

    (run,) = receiver.runs()
    assert run["spec"]["trigger"]["event"]["id"] == "one"
    (owner,) = run["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Trigger", "arrivals")
