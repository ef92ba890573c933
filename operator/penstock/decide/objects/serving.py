"""The servers of a Model: a Deployment for each revision, and what it is told to serve.

A revision is all that the servers of a Model are: its files, image, settings. Whatever of it changes makes another
revision, with another Deployment beside the old one, so that no Deployment ever rolls from one to the other and a
Service that selects a revision selects one. Only the number of replicas is outside of it.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import msgspec

from penstock.api.jobs import JobSettings, job_field
from penstock.api.model import Model
from penstock.api.pipeline import Logs
from penstock.decide.objects.children import MODEL, REVISION, Object, Owner, child_name, labels, metadata
from penstock.decide.objects.folders import SPECIFICATION, SPECIFICATION_FOLDER
from penstock.decide.objects.mounts import mounts_of
from penstock.decide.objects.pod import PYTHON, Pod, pod_template
from penstock.decide.objects.rollout import SPEC_HASH
from penstock.decide.settings import Pods
from penstock_jobs.contract import document
from penstock_jobs.contract.specification import Location, ServerSpec

ROLLOUT_FAILED = "penstock.dev/rollout-failed"  # an annotation of a Deployment: why its Model is not served
PORT = 8080
DRAINING = 5  # seconds in which the rest of the cluster learns that a pod takes no more requests
GRACE = 40  # seconds: those, 25 in which the server answers what is under way, and some to spare
STARTING = 600  # seconds that a server may take to load its Model
_DIGITS = 10


@dataclass(frozen=True)
class Serving:
    """Servers of a Model for a Pipeline, which is the owner.

    `location` is where they read the Model. `settings` are those of `jobs[deployment]`, resolved; `written` are those
    that the Pipeline itself says.
    """

    owner: Owner
    model: Model
    location: Location
    image: str
    settings: JobSettings
    trusted_types: tuple[str, ...] = ()
    logs: Logs = Logs()  # noqa: RUF009 - a frozen value
    general: Pods = Pods()  # noqa: RUF009
    written: JobSettings = JobSettings()  # noqa: RUF009

    @property
    def specification(self) -> ServerSpec:
        """What the servers read: which Model, under the name of its Pipeline."""
        return ServerSpec(
            location=self.location,
            name=self.owner.pipeline,
            manifest_digest=self.model.spec.digest,
            trusted_types=self.trusted_types,
            host="0.0.0.0",  # noqa: S104 - of the pod
            port=PORT,
            threads=self.settings.threads or 1,
        )

    @cached_property
    def revision(self) -> str:
        """The name of the revision: a hash of all that its servers are."""
        whole = (document.encode(self.specification), msgspec.json.encode(_template(self, ""), order="sorted"))
        return _digest(*whole)

    @cached_property
    def spec_hash(self) -> str:
        """A hash of what the Pipeline and the Model say of the servers, and nothing of what the operator adds to it."""
        model = self.model.metadata.name, self.model.spec.uri, self.model.spec.digest
        return _digest(*map(msgspec.json.encode, (model, self.trusted_types, self.logs, self.written)))


def deployment_name(owner: Owner, revision: str) -> str:
    """Return the name of the Deployment of a revision, and of what it reads."""
    return child_name(owner, f"serving-{revision}")


def selector(owner: Owner, revision: str) -> dict[str, str]:
    """Return the labels that the pods of a revision have and no others."""
    return {**labels(owner), REVISION: revision}


def serving_file(serving: Serving, revision: str | None = None) -> Object:
    """Return the ConfigMap with what the servers read; for those of an earlier revision of the same Model, if named."""
    revision = revision or serving.revision
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(serving.owner, deployment_name(serving.owner, revision), _labels(serving, revision)),
        "immutable": True,
        "data": {SPECIFICATION: document.encode(serving.specification).decode()},
    }


def deployment(serving: Serving, replicas: int) -> Object:
    """Return the Deployment of this revision.

    Raises:
        Refused: the settings ask for what no pod of Penstock may have.
    """
    revision = serving.revision
    named = metadata(serving.owner, deployment_name(serving.owner, revision), _labels(serving, revision))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**named, "annotations": {SPEC_HASH: serving.spec_hash}},
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": STARTING,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": selector(serving.owner, revision)},
            "template": _template(serving, revision),
        },
    }


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:_DIGITS]


def _labels(serving: Serving, revision: str) -> dict[str, str]:
    return {**selector(serving.owner, revision), MODEL: serving.model.metadata.name or ""}


def _template(serving: Serving, revision: str) -> Object:
    words = [*PYTHON, "penstock_jobs.serving", f"{SPECIFICATION_FOLDER}/{SPECIFICATION}"]
    words += ["--log-level", serving.logs.level, "--log-format", serving.logs.format.lower()]
    pod = Pod(
        image=serving.image,
        command=tuple(words),
        specification=deployment_name(serving.owner, revision),
        settings=serving.settings,
        field=job_field("deployment"),
        mounts=mounts_of(serving.specification),
        threads=serving.settings.threads or 1,
        restart_policy=None,
        grace=GRACE,
        general=serving.general,
        container=_container(),
        spread=selector(serving.owner, revision),
    )
    return pod_template(pod, _labels(serving, revision))


def _container() -> Object:
    ready: Object = {"httpGet": {"path": "/v2/health/ready", "port": "http"}}
    live: Object = {"httpGet": {"path": "/v2/health/live", "port": "http"}}
    return {
        # What a server says last is why it does not serve; the Pipeline tells it.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": STARTING},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 2},
        # A server that is busy is not dead: it is given a minute.
        "livenessProbe": {**live, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAINING}}},
    }
