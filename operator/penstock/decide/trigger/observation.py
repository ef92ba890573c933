"""What is observed of a Trigger: all that its reconcile may know, as the API server has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.decide.decision import ApiObject, Refusal
from penstock.decide.observed.listers import RunLister
from penstock.decide.observed.senders import Senders
from penstock.decide.settings import Settings
from penstock.decide.site import CLUSTER, Site


@dataclass(frozen=True)
class Looks:
    """What there is of the looks at the files that a Trigger waits for."""

    jobs: Sequence[ApiObject] = ()
    pods: Sequence[ApiObject] = ()
    specifications: Sequence[ApiObject] = ()


@dataclass(frozen=True)
class TriggerObservation:
    """A Trigger, its runs, and what of its namespace bears on it.

    Attributes:
        trigger: the Trigger.
        pipeline: the Pipeline that it runs, None where it is not there.
        own_runs: the runs that it controls, by its uid.
        runs: the runs of the Pipeline that it runs, its own among them.
        watched: the runs of the Pipeline whose runs it watches, where it has the source `runs`.
        triggers: the Triggers of the namespace that have the source `runs`, this one too; needed only where it has it.
        looks: the Jobs that look at files for it, their pods, and the ConfigMaps that say what they are asked.
        senders: the Jobs that tell somebody of the Trigger, and their pods.
        settings: those of the operator.
        site: where the Jobs that look at files are carried out.
        refused: the write of this very reconcile that the API server refused.
    """

    trigger: ApiObject
    pipeline: ApiObject | None = None
    own_runs: Sequence[ApiObject] = ()
    runs: RunLister = field(default_factory=RunLister)
    watched: RunLister = field(default_factory=RunLister)
    triggers: Sequence[ApiObject] = ()
    looks: Looks = field(default_factory=Looks)
    senders: Senders = field(default_factory=Senders)
    settings: Settings = field(default_factory=Settings)
    site: Site = CLUSTER
    refused: Refusal | None = None
