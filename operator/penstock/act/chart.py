"""The values of the Helm chart, typed: `values.schema.json` is written from here, and compared by `make check`.

    python -m penstock.act.chart helm/penstock/values.schema.json

So a mistake in a profile is told by `helm install`, and not by an operator that does not start.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from penstock.api.jobs import JobSettings
from penstock.api.notifications import MOST_OF_OPERATOR, Notification
from penstock.api.scalars import LABEL, Duration
from penstock.api.storage import Storage
from penstock.daemon.settings import Api, Logs
from penstock.decide.events.limits import AUDIENCE, Limits
from penstock.decide.settings import Pods
from penstock_jobs.contract.document import Document

Namespace = Annotated[str, Meta(min_length=1, max_length=63, pattern=LABEL)]


class Image(Document, frozen=True, kw_only=True):
    """An image: its name, and its tag or digest."""

    name: Annotated[str, Meta(min_length=1)]
    tag: str = ""
    digest: Annotated[str, Meta(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""


class Images(Document, frozen=True, kw_only=True):
    """The images."""

    operator: Image
    jobs: Image
    torch: Image
    serving: Image
    source: Image


class Crds(Document, frozen=True, kw_only=True):
    """What becomes of the CRDs."""

    install: bool = True


class Switch(Document, frozen=True, kw_only=True):
    """Whether something is there."""

    enabled: bool = True


class AdmissionPolicies(Switch, frozen=True, kw_only=True):
    """Whether authors are asked for their rights; and whether the operator's own writes are bounded to what it owns."""

    bound_operator: bool = True


class Ingress(Document, frozen=True, kw_only=True):
    """Who may connect, as `from` of a NetworkPolicy has it; everybody where nobody is named."""

    from_: list[dict[str, Any]] = msgspec.field(default_factory=list, name="from")


class OperatorNetwork(Ingress, frozen=True, kw_only=True):
    """Who may ask the operator, and the receiver, for health and metrics."""

    enabled: bool = True


class JobsNetwork(Document, frozen=True, kw_only=True):
    """Where jobs may connect to, as `egress` of a NetworkPolicy has it; everywhere where nothing is named."""

    enabled: bool = False
    to: list[dict[str, Any]] = []


class ServingNetwork(Ingress, frozen=True, kw_only=True):
    """Who may ask the inference servers, and where these may connect to."""

    enabled: bool = False
    to: list[dict[str, Any]] = []


class NetworkPolicies(Document, frozen=True, kw_only=True):
    """Who may connect to whom."""

    operator: OperatorNetwork = OperatorNetwork()
    receiver: Ingress = Ingress()
    jobs: JobsNetwork = JobsNetwork()
    serving: ServingNetwork = ServingNetwork()


class ServiceAccount(Document, frozen=True, kw_only=True):
    """A service account."""

    name: str = ""
    annotations: dict[str, str] = {}


class ChartSettings(Document, frozen=True, kw_only=True):
    """What of the operator's settings is said in the chart; the rest follows from other values."""

    storage: Storage | None = None
    profiles: dict[str, JobSettings] = {}
    defaults: JobSettings = JobSettings()
    pending_limit: Duration = "24h"
    jobs_kept: Duration = "24h"
    notifications: Annotated[list[Notification], Meta(max_length=MOST_OF_OPERATOR)] = []
    concurrent_rollouts: Annotated[int, Meta(ge=1)] = 1
    pods: Pods = Pods()
    logs: Logs = Logs()
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    resync: Duration = "10m"
    api: Api = Api()


class Tls(Document, frozen=True, kw_only=True):
    """The certificate: a Secret with `tls.crt` and `tls.key`; without it something before the receiver must end TLS."""

    enabled: bool = True
    secret_name: str = ""


class Keys(Document, frozen=True, kw_only=True):
    """The keys of signatures: a Secret, mounted as it is; each of its keys has a name that Triggers name."""

    secret_name: str = ""


class ReceiverService(Document, frozen=True, kw_only=True):
    """The Service of the receiver."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    port: Annotated[int, Meta(ge=1, le=65535)] = 443
    annotations: dict[str, str] = {}


class Receiver(Document, frozen=True, kw_only=True):
    """The receiver of events by HTTP."""

    enabled: bool = False
    replicas: Annotated[int, Meta(ge=0, le=10)] = 1
    audience: Annotated[str, Meta(min_length=1, max_length=256)] = AUDIENCE
    tls: Tls = Tls()
    keys: Keys = Keys()
    limits: Limits = Limits()
    service: ReceiverService = ReceiverService()
    service_account: ServiceAccount = ServiceAccount()
    resources: dict[str, Any] = {}


class Values(Document, frozen=True, kw_only=True):
    """The values of the chart."""

    registry: str = ""
    images: Images
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    image_pull_secrets: list[dict[Literal["name"], str]] = []
    namespaces: Annotated[list[Namespace], Meta(max_length=256)] = []
    replicas: Annotated[int, Meta(ge=0, le=5)] = 1
    crds: Crds = Crds()
    admission_policies: AdmissionPolicies = AdmissionPolicies()
    network_policies: NetworkPolicies = NetworkPolicies()
    aggregate_roles: bool = True
    receiver: Receiver = Receiver()
    settings: ChartSettings = ChartSettings()
    resources: dict[str, Any] = {}
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    affinity: dict[str, Any] = {}
    priority_class_name: str = ""
    pod_annotations: dict[str, str] = {}
    pod_labels: dict[str, str] = {}
    service_account: ServiceAccount = ServiceAccount()
    global_: dict[str, Any] = msgspec.field(default_factory=dict, name="global")  # helm adds it


def schema() -> dict[str, Any]:
    """Return the JSON schema of the values."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_plain(msgspec.json.schema(Values))}
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


def _plain(value: Any) -> Any:
    """Return the schema without what is Kubernetes' own."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _plain(each) for key, each in value.items() if not key.startswith("x-kubernetes-")}


def main(path: str) -> None:
    """Write the schema."""
    Path(path).write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
