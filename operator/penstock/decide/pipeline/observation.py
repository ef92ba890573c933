"""What is observed of a Pipeline: all that its reconcile may know, as the API server has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from penstock.decide.decision import ApiObject, Refusal
from penstock.decide.observed.listers import ModelLister, RunLister
from penstock.decide.observed.senders import Senders
from penstock.decide.settings import Settings
from penstock.decide.site import CLUSTER, Site


@dataclass(frozen=True)
class PipelineObservation:
    """A Pipeline, its children, its runs and the Models of its namespace.

    Attributes:
        pipeline: the Pipeline.
        settings: those of the operator.
        runs: the PipelineRuns of the namespace that name it.
        models: the Models of the namespace (a Pipeline may serve any of them).
        deployments: the Deployments whose label `penstock.dev/pipeline` is its name.
        pods: the pods of these Deployments.
        serving_files: the ConfigMaps that these pods read, one for each revision.
        service: the Service of its name, where that is there and has that label.
        pipelines: the Pipelines of the namespace, this one too.
        triggers: the Triggers of the namespace that start runs of it.
        records: the records of the files of its runs and Models.
        is_complete: whether all Pipelines and runs are known; one that is not may refer to any Model.
        senders: the Jobs that tell somebody of it, and their pods.
        site: where runs are carried out.
        upgrades: the Deployments of all Pipelines whose `Rollout` has an `upgrade_time`.
        starting_upgrades: the uids of other Pipelines for which such a one is being written at this moment.
        leader_since: since when this operator leads; None where nobody else can.
        refused: the write of this very reconcile that the API server refused.
    """

    pipeline: ApiObject
    settings: Settings
    runs: RunLister = field(default_factory=RunLister)
    models: ModelLister = field(default_factory=ModelLister)
    deployments: Sequence[ApiObject] = ()
    pods: Sequence[ApiObject] = ()
    serving_files: Sequence[ApiObject] = ()
    service: ApiObject | None = None
    pipelines: Sequence[ApiObject] = ()
    triggers: Sequence[ApiObject] = ()
    records: Sequence[ApiObject] = ()
    is_complete: bool = True
    senders: Senders = field(default_factory=Senders)
    site: Site = CLUSTER
    upgrades: Sequence[ApiObject] = ()
    starting_upgrades: frozenset[str] = frozenset()
    leader_since: datetime | None = None
    refused: Refusal | None = None
