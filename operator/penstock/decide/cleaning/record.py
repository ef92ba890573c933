"""The record of files: whose they are, where, and how they are reached, once what they belong to is gone.

A ControllerRevision, whose data nobody can change, and which the usual roles of users cannot make: a forged one would
have the operator mount Secrets and delete files. What it is about does not own it, since it must outlive that. Its
owner is the definition of the kind, so that it goes with a kind that is deleted; and it names the definition and the
namespace by their uids. Files are deleted only where both are still the same: an object is gone too when its kind or
its namespace was deleted, and then nobody asked for its files to go. Nor did anybody where a record came back from a
backup of another namespace, or cluster.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from penstock.api.decoding import Unreadable, decode_part
from penstock.api.jobs import JobSettings
from penstock.api.model import Model
from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_duration
from penstock.api.schema import GROUP, JobName
from penstock.decide.decision import ApiObject
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.children import (
    MANAGED_BY,
    MANAGER,
    PIPELINE,
    RECORD,
    Object,
    Owner,
    as_json,
    child_name,
)
from penstock.decide.objects.profiles import access_of
from penstock.decide.run_places import RunPlaces
from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.contract.specification import Location, OwnedFolder, UnmadeModels

LOGS_CLEANED = f"{GROUP}/logs-cleaned"  # an annotation: when the logs were deleted
EXPIRED = f"{GROUP}/expired"  # an annotation: the run is beyond those whose Jobs and logs are kept
FAILURES = f"{GROUP}/cleaning-failures"  # an annotation: how often cleaning failed
FAILED = f"{GROUP}/cleaning-failed"  # an annotation: when it did so last

RECORD_OF_FILES = Form("record-of-files", 1, since="0.1.0")

Recorded = Literal["PipelineRun", "Model"]
DEFINITIONS: dict[Recorded, str] = {"PipelineRun": f"pipelineruns.{GROUP}", "Model": f"models.{GROUP}"}


class Identity(Document, frozen=True):
    """Which definition of a kind, and which namespace: each is another one when it was deleted and made again."""

    definition: str
    namespace: str


class Record(VersionedDocument, frozen=True, kw_only=True):
    """Whose files they are, where, and how a Job reaches them.

    `logs_kept` is in seconds, from the end of the run; None is as long as the run. Of `settings` only what a pod needs
    to be admitted, placed and let into the storage.
    """

    form: ClassVar[Form] = RECORD_OF_FILES

    kind: Recorded
    name: str
    uid: str
    identity: Identity
    folder: OwnedFolder
    unmade: UnmadeModels | None = None
    logs_kept: float | None = None
    settings: JobSettings = JobSettings()
    format: str = format_of(RECORD_OF_FILES)


@dataclass(frozen=True)
class RunFiles:
    """What there is to know of the files of a run; `workers` are those of its training, 0 where it does none."""

    places: RunPlaces
    workers: int


def record_name(owner: Owner, index: int = 1) -> str:
    """Return the name of the record: of a run's files under that index of its execution name, or of a Model's."""
    return child_name(owner, "files", index=index)


def record_of_run(owner: Owner, files: RunFiles, identity: Identity) -> Record:
    """Return what there is to record of a run before its first file."""
    places, spec = files.places, files.places.spec
    run, kept = places.run(), spec.logs.retention
    unmade = UnmadeModels(places.models(write=True), run, owner.uid, files.workers) if files.workers else None
    return Record(
        kind="PipelineRun",
        name=owner.name,
        uid=owner.uid,
        identity=identity,
        folder=OwnedFolder(run, "snapshot.yaml", uid=owner.uid),
        unmade=unmade,
        logs_kept=None if kept is None else read_duration(kept, "spec.logs.retention"),
        settings=access_settings(spec, "dataset"),
    )


def record_of_model(
    owner: Owner, model: Model, location: Location, settings: JobSettings, identity: Identity
) -> Record:
    """Return what there is to record of a Model whose files go with it."""
    return Record(
        kind="Model",
        name=owner.name,
        uid=owner.uid,
        identity=identity,
        folder=OwnedFolder(location, "manifest.json", digest=model.spec.digest),
        settings=settings,
    )


def access_settings(spec: PipelineSpec, job: JobName) -> JobSettings:
    """Return of a job's settings what a pod needs to be admitted, placed and let into the storage."""
    return access_of(settings_of(spec, job))


def record_object(owner: Owner, record: Record, index: int = 1) -> Object:
    """Return the ControllerRevision of a record."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "name": DEFINITIONS[record.kind],
        "uid": record.identity.definition,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": record_name(owner, index),
            "namespace": owner.namespace,
            "labels": {MANAGED_BY: MANAGER, PIPELINE: owner.pipeline, RECORD: owner.uid},
            "ownerReferences": [definition],
        },
        "revision": 1,
        "data": as_json(record),
    }


def is_record(there: ApiObject) -> bool:
    """Return whether a ControllerRevision is a record of files."""
    return RECORD in (there["metadata"].get("labels") or {})


def read(there: ApiObject) -> Record | Unreadable:
    """Return what is recorded, or why this version of the operator cannot read it, and so deletes nothing."""
    return decode_part(there, there.get("data"), Record, "data")
