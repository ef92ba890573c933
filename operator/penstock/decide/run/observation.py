"""What is observed of a PipelineRun: all that its reconcile may know, as the API server has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from penstock.decide.cleaning.record import Identity
from penstock.decide.decision import ApiObject, Refusal
from penstock.decide.observed.listers import ModelLister, RunLister
from penstock.decide.observed.senders import Senders
from penstock.decide.settings import Settings
from penstock.decide.site import CLUSTER, Site


@dataclass(frozen=True)
class RunObservation:
    """A run, its children, and what of its namespace bears on it.

    No part may be older than our own last write to it. Parts may be of different moments, and any of them may be
    behind: a decision is right for each such mixture, or is harmless and made again.

    Attributes:
        run: the PipelineRun.
        settings: those of the operator.
        pipeline: the Pipeline that the run names, None where it is not there (or is being deleted).
        revision: the ControllerRevision that the run made, by its name (`objects.children.revision_name`).
        results: the ConfigMap with the results of its steps, by its name.
        specifications: the ConfigMaps with specifications that the run made; their data may be left out.
        jobs: the Jobs whose label `penstock.dev/run-uid` is the run's uid.
        pods: the pods of these Jobs, by the same label (Kubernetes takes it from the Job's template).
        events: the Events of Kubernetes about these Jobs and pods: `FailedCreate` of Jobs, `FailedMount` and
            `FailedAttachVolume` of pods. Older ones may be missing. What Kueue says of a Job that it holds back has the
            same form.
        whole: by the uid of a pod, the whole of what its job reported, as its log holds it, where the termination
            message had to be shortened (`pending_logs` tells which are wanted). A pod whose log could not
            be read, or does not hold it (its digest is checked), is there with None.
        repeated: the ControllerRevision of the run that this one repeats.
        earlier: the ConfigMaps with results of other runs that `results_to_reuse` names.
        runs: the other PipelineRuns of the namespace that name the same Pipeline.
        models: the Models of the namespace.
        deployments: the Deployments that serve Models of the Pipeline, by the label `penstock.dev/pipeline`.
        files: the names of the records of files that the run made.
        identity: the definition of runs and the namespace, which such a record names; None where nobody could be asked,
            and then no record is made.
        senders: the Jobs that tell somebody of it, and their pods.
        site: where runs are carried out.
        refused: the write of this very reconcile that the API server refused.
    """

    run: ApiObject
    settings: Settings
    pipeline: ApiObject | None = None
    revision: ApiObject | None = None
    results: ApiObject | None = None
    specifications: tuple[ApiObject, ...] = ()
    jobs: tuple[ApiObject, ...] = ()
    pods: tuple[ApiObject, ...] = ()
    events: tuple[ApiObject, ...] = ()
    whole: Mapping[str, bytes | None] = field(default_factory=dict)
    repeated: ApiObject | None = None
    earlier: Sequence[ApiObject] = ()
    runs: RunLister = field(default_factory=RunLister)
    models: ModelLister = field(default_factory=ModelLister)
    deployments: Sequence[ApiObject] = ()
    files: frozenset[str] = frozenset()
    identity: Identity | None = None
    senders: Senders = field(default_factory=Senders)
    site: Site = CLUSTER
    refused: Refusal | None = None
