"""What a Pipeline's reconcile knows: the observation, decoded as far as it is needed, and questions to it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from penstock.api.decoding import Unreadable, decode
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline, PipelineStatus, TestingUse
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import MODEL, REVISION, Owner
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.testing_uses import count_uses, merge_uses
from penstock.decide.times import write_time


@dataclass(frozen=True)
class PipelineFacts:
    """A Pipeline that could be decoded, and what is observed of it now."""

    observation: PipelineObservation
    pipeline: Pipeline
    now: datetime

    @property
    def name(self) -> str:
        """The Pipeline's name."""
        return self.pipeline.metadata.name or ""

    @property
    def status(self) -> PipelineStatus:
        """The status as it is, empty where there is none yet."""
        return self.pipeline.status or PipelineStatus()

    @property
    def owner(self) -> Owner:
        """The Pipeline, as the owner of its children."""
        metadata = self.pipeline.metadata
        return Owner(metadata.namespace or "", self.name, metadata.uid or "", self.name, kind="Pipeline")

    @property
    def time(self) -> str:
        """The moment, as a status keeps it."""
        return write_time(self.now)

    def model(self, name: str) -> Model | Unreadable | None:
        """Return the Model of that name in the namespace, where there is one."""
        found = self.observation.models.get(name)
        return None if found is None else decode(found, Model)

    @cached_property
    def own_deployments(self) -> tuple[ApiObject, ...]:
        """The Deployments that this very Pipeline made."""
        return tuple(each for each in self.observation.deployments if self.owns(each))

    @cached_property
    def own_serving_files(self) -> tuple[ApiObject, ...]:
        """What the servers of its revisions read, a ConfigMap each."""
        return tuple(each for each in self.observation.serving_files if self.owns(each))

    def has_serving_file(self, file: ApiObject) -> bool:
        """Return whether what these servers read is there."""
        return any(each["metadata"]["name"] == file["metadata"]["name"] for each in self.own_serving_files)

    def owns(self, child: ApiObject) -> bool:
        """Return whether this very Pipeline made the object, and not a stranger or a Pipeline of the same name."""
        owners = child["metadata"].get("ownerReferences") or ()
        return any(owner.get("uid") == self.owner.uid for owner in owners)

    def deployment_of(self, revision: str | None) -> ApiObject | None:
        """Return the Deployment of that revision."""
        if revision is None:
            return None
        return next((each for each in self.own_deployments if revision_of(each) == revision), None)

    def pods_of(self, revision: str | None) -> tuple[ApiObject, ...]:
        """Return the pods of that revision that are to stay."""
        return tuple(
            pod
            for pod in self.observation.pods
            if revision_of(pod) == revision and not pod["metadata"].get("deletionTimestamp")
        )

    @property
    def service_revision(self) -> str | None:
        """The revision that the Service selects."""
        service = self.observation.service
        selector = (service["spec"].get("selector") or {}) if service is not None and self.owns(service) else {}
        return selector.get(REVISION)

    @property
    def port(self) -> int:
        """The port of the Service."""
        deployment = self.pipeline.spec.deployment
        return deployment.port if deployment else 80

    @property
    def model_of_service(self) -> str | None:
        """The Model of the servers that the Service selects."""
        revision = self.service_revision
        there = self.deployment_of(revision)
        return None if there is None else (there["metadata"].get("labels") or {}).get(MODEL)

    def testing_uses(self) -> tuple[TestingUse, ...]:
        """Return how often each epoch of the testing set has served to decide."""
        counted = count_uses(self.observation.runs.testing_sets())
        # Runs that are deleted have decided all the same.
        return counted if self.pipeline.spec.retention.runs is None else merge_uses(self.status.testing_uses, counted)


def revision_of(child: ApiObject) -> str | None:
    """Return the revision that a Deployment is, or that a pod is of."""
    said = (child["metadata"].get("labels") or {}).get(REVISION)
    return None if said is None else str(said)
