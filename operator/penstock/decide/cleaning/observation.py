"""What is observed of a record of files, and of a Model: all that their reconciles may know."""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.decide.cleaning.record import Identity
from penstock.decide.decision import ApiObject, Refusal
from penstock.decide.settings import Settings
from penstock.decide.site import CLUSTER, Site


@dataclass(frozen=True)
class RecordObservation:
    """A record, what it is about, and the Jobs that clean.

    Attributes:
        record: the ControllerRevision.
        settings: those of the operator.
        subject: the run or Model of the recorded uid; None where it is not there, by the API server's own word.
        identity: the definition of the kind and the namespace, as they are at this moment; None where either is gone,
            or being deleted, or nobody could be asked. Only looked for where there is no subject.
        jobs: the Jobs that the record owns.
        pods: the pods of these Jobs.
        others: the Jobs and pods of the run itself.
        models: the Models of the namespace; only where the record is of a Model that is gone.
        refused: the write of this very reconcile that the API server refused.
    """

    record: ApiObject
    settings: Settings
    subject: ApiObject | None = None
    identity: Identity | None = None
    jobs: tuple[ApiObject, ...] = ()
    pods: tuple[ApiObject, ...] = ()
    others: tuple[ApiObject, ...] = ()
    models: Sequence[ApiObject] = ()
    refused: Refusal | None = None


@dataclass(frozen=True)
class ModelObservation:
    """A Model, and the record of its files.

    Attributes:
        model: the Model.
        settings: those of the operator.
        record: the record of its files.
        pipeline: the Pipeline that made it, where that is still there.
        identity: the definition of Models and the namespace; only looked for where a record is to be made.
        site: where runs are carried out.
        refused: the write of this very reconcile that the API server refused.
    """

    model: ApiObject
    settings: Settings
    record: ApiObject | None = None
    pipeline: ApiObject | None = None
    identity: Identity | None = None
    site: Site = CLUSTER
    refused: Refusal | None = None
