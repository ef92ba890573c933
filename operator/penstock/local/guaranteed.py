"""What an API server guarantees of an object, as far as anybody relies on it: here nobody but this module looks.

Of the kinds of Kubernetes it is all that decisions, and this machine's own controllers, read. Of ours it is the
metadata and that there is a spec: what only a kind's own type says is for `penstock.api.decoding`, which says it in
conditions.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]
Labels = dict[str, str]


class _Shape(msgspec.Struct, rename="camel"):
    """Some fields of an object; it may have others."""


class _OwnerReference(_Shape):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None


class _Metadata(_Shape):
    name: str
    uid: str
    namespace: str | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    generation: int | None = None
    resource_version: Annotated[str, Meta(pattern="^[0-9]+$")] | None = None
    labels: Labels | None = None
    annotations: Labels | None = None
    owner_references: list[_OwnerReference] | None = None
    finalizers: list[str] | None = None


class Guaranteed(_Shape):
    """What is sure of an object of any kind."""

    kind: str
    metadata: _Metadata


class _ChildMetadata(_Metadata, kw_only=True):
    labels: Labels


class _Child(Guaranteed):
    """An object that Penstock made for one of ours: it is found by its labels."""

    metadata: _ChildMetadata


class _Condition(_Shape):
    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_transition_time: Time | None = None


# --- ours -------------------------------------------------------------------------------------------------------------


class _Ours(Guaranteed):
    spec: dict[str, Any]
    status: dict[str, Any] | None = None


# --- Jobs and their pods ----------------------------------------------------------------------------------------------


class _Variable(_Shape):
    name: str
    value: str = ""


class _Container(_Shape):
    name: str
    command: list[str] = []
    env: list[_Variable] = []


class _ConfigMapVolume(_Shape):
    name: str


class _Volume(_Shape):
    name: str
    config_map: _ConfigMapVolume | None = None


class _PodSpec(_Shape):
    containers: Annotated[list[_Container], Meta(min_length=1)]
    volumes: list[_Volume] = []
    active_deadline_seconds: int | None = None


class _TemplateMetadata(_Shape):
    labels: Labels | None = None


class _Template(_Shape):
    spec: _PodSpec
    metadata: _TemplateMetadata = msgspec.field(default_factory=_TemplateMetadata)


class _ConditionPattern(_Shape):
    type: str
    status: str = "True"


class _ExitCodes(_Shape):
    values: list[int]


class _FailureRule(_Shape):
    action: str
    on_pod_conditions: list[_ConditionPattern] | None = None
    on_exit_codes: _ExitCodes | None = None


class _FailurePolicy(_Shape):
    rules: list[_FailureRule]


class _JobSpec(_Shape):
    template: _Template
    suspend: bool | None = None
    backoff_limit: int | None = None
    active_deadline_seconds: int | None = None
    pod_failure_policy: _FailurePolicy | None = None


class _JobStatus(_Shape):
    start_time: Time | None = None
    conditions: list[_Condition] | None = None


class _Job(_Child):
    spec: _JobSpec
    status: _JobStatus | None = None


class _Running(_Shape):
    started_at: Time | None = None


class _Waiting(_Shape):
    reason: str | None = None
    message: str | None = None


class _Terminated(_Shape):
    exit_code: int
    reason: str | None = None
    message: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None


class _ContainerState(_Shape):
    running: _Running | None = None
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _ContainerStatus(_Shape):
    name: str
    state: _ContainerState | None = None
    last_state: _ContainerState | None = None
    ready: bool | None = None
    restart_count: int | None = None
    image_id: str | None = msgspec.field(default=None, name="imageID")


class _PodStatus(_Shape):
    phase: str
    start_time: Time | None = None
    reason: str | None = None
    message: str | None = None
    conditions: list[_Condition] | None = None
    container_statuses: list[_ContainerStatus] | None = None


class _OwnPodSpec(_Shape):
    node_name: str | None = None


class _Pod(_Child):
    spec: _OwnPodSpec
    status: _PodStatus


# --- what serves ------------------------------------------------------------------------------------------------------


class _DeploymentSpec(_Shape):
    replicas: int | None = None


class _DeploymentStatus(_Shape):
    observed_generation: int = 0
    replicas: int = 0
    available_replicas: int = 0
    conditions: list[_Condition] | None = None


class _Deployment(_Child):
    spec: _DeploymentSpec
    status: _DeploymentStatus | None = None


class _ServicePort(_Shape):
    port: int


class _ServiceSpec(_Shape):
    ports: Annotated[list[_ServicePort], Meta(min_length=1)]
    selector: Labels | None = None


class _Service(_Child):
    spec: _ServiceSpec


# --- what only holds data ---------------------------------------------------------------------------------------------


class _ConfigMap(_Child):
    data: dict[str, str] | None = None
    binary_data: dict[str, Annotated[str, Meta(pattern="^[A-Za-z0-9+/]*={0,2}$")]] | None = None


class _ControllerRevision(_Child):
    data: dict[str, Any]


OF_KIND: dict[str, type[Guaranteed]] = {
    **dict.fromkeys(("Pipeline", "PipelineRun", "Trigger", "Model"), _Ours),
    "Job": _Job,
    "Pod": _Pod,
    "Deployment": _Deployment,
    "Service": _Service,
    "ConfigMap": _ConfigMap,
    "ControllerRevision": _ControllerRevision,
}
"""What is sure of an object of each kind that a home has."""
