"""The kinds of objects that the operator reads or writes, and where the API server has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from penstock.api.schema import GROUP, VERSION

Object = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of object."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """Return the `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self,
        namespace: str | None,
        name: str | None = None,
        subresource: str | None = None,
        query: Mapping[str, object] | None = None,
    ) -> str:
        """Return the path of one object, or of all of them (in one namespace or in all)."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part is not None]
        path = "/" + "/".join(quote(part, safe="") for part in parts)
        return f"{path}?{urlencode(query)}" if query else path


PIPELINE = Kind(GROUP, VERSION, "pipelines", "Pipeline")
RUN = Kind(GROUP, VERSION, "pipelineruns", "PipelineRun")
MODEL = Kind(GROUP, VERSION, "models", "Model")
TRIGGER = Kind(GROUP, VERSION, "triggers", "Trigger")
JOB = Kind("batch", "v1", "jobs", "Job")
POD = Kind("", "v1", "pods", "Pod")
CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap")
SERVICE = Kind("", "v1", "services", "Service")
CONTROLLER_REVISION = Kind("apps", "v1", "controllerrevisions", "ControllerRevision")
DEPLOYMENT = Kind("apps", "v1", "deployments", "Deployment")
DISRUPTION_BUDGET = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
AUTOSCALER = Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
CORE_EVENT = Kind("", "v1", "events", "Event")  # the same objects, which can be asked for by what they are about
EVENT = Kind("events.k8s.io", "v1", "events", "Event")

NAMESPACE = Kind("", "v1", "namespaces", "Namespace")
DEFINITION = Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
TOKEN_REVIEW = Kind("authentication.k8s.io", "v1", "tokenreviews", "TokenReview")
ACCESS_REVIEW = Kind("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")

_ALL = (
    PIPELINE,
    RUN,
    MODEL,
    TRIGGER,
    JOB,
    POD,
    CONFIG_MAP,
    SERVICE,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    AUTOSCALER,
    EVENT,
    LEASE,
    NAMESPACE,
    DEFINITION,
)
BY_NAME: dict[str, Kind] = {kind.kind: kind for kind in _ALL}


def kind_of(made: Mapping[str, Any]) -> Kind:
    """Return the kind of an object that is to be written."""
    return BY_NAME[made["kind"]]


class Key(NamedTuple):
    """Which object: its kind, namespace and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def key_of(made: Mapping[str, Any]) -> Key:
    """Return the key of an object."""
    metadata = made["metadata"]
    return Key(made["kind"], metadata.get("namespace", ""), metadata["name"])


def controller_of(made: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the reference to the owner that controls the object, or None."""
    for reference in made["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Mapping[str, Any] = reference
            return found
    return None
