"""The documents of `tests/documents`, one of each kind, as each released version wrote them, and how each is read."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.decide.cleaning.record import Record
from penstock.decide.objects.revision import Snapshot
from penstock_jobs.begun_before import BegunRun
from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.notification import NotificationRequest
from penstock_jobs.contract.result import CandidateRow, JobResult
from penstock_jobs.contract.specification import JobSpecification, ServerSpec
from penstock_jobs.contract.storage_requests import PreviousOwner, SavedModel, StorageRequest
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.dataset.claim import Claim
from penstock_jobs.dataset.schema import Schemas
from penstock_jobs.look_memory import LookMemory
from penstock_jobs.networks.saving import Architecture
from penstock_jobs.training.curves import Curves

FOLDER = Path(__file__).parents[2] / "documents"
VERSIONS = sorted(path.name for path in FOLDER.iterdir())

# By the first words of the names of the files.
DOCUMENTS: dict[str, Any] = {
    "job": JobSpecification,
    "result": JobResult,
    "termination-message": TerminationMessage,
    "model-manifest": ModelManifest,
    "network": Architecture,
    "curves": Curves,
    "schemas": Schemas,
    "columns": TableStatistics,
    "candidates": CandidateRow,
    "storage-claim": Claim,
    "begun-run": BegunRun,
    "look-memory": LookMemory,
    "serving": ServerSpec,
    "notification": NotificationRequest,
    "errand-list-models": StorageRequest,
    "errand-move-claim": StorageRequest,
    "errand-saved-model": SavedModel,
    "errand-owner": PreviousOwner,
    "snapshot": Snapshot,
    "record-of-files": Record,
}
OBJECTS: dict[str, type[msgspec.Struct]] = {
    "pipeline": Pipeline,
    "pipelinerun": PipelineRun,
    "model": Model,
    "trigger": Trigger,
}


@dataclass(frozen=True)
class Golden:
    """A document as it was written: its plain data, and the type that it is of."""

    name: str
    kind: Any
    plain: Any


@cache
def golden_documents() -> tuple[Golden, ...]:
    """Return the documents of every version; of the objects of Kubernetes that hold one, what they hold."""
    found = []
    for path in sorted(FOLDER.glob("*/*")):
        if path.stem in OBJECTS or path.stem == "results":
            continue
        stem = path.stem if path.stem in DOCUMENTS else path.stem.partition("-")[0]
        found += [Golden(f"{path.parent.name}/{path.name}", DOCUMENTS[stem], each) for each in _plain(path)]
    return tuple(found)


@cache
def golden_objects() -> tuple[Golden, ...]:
    """Return the objects of the API of every version."""
    paths = [path for path in sorted(FOLDER.glob("*/*")) if path.stem in OBJECTS]
    return tuple(Golden(f"{path.parent.name}/{path.name}", OBJECTS[path.stem], *_plain(path)) for path in paths)


def golden_object(version: str, name: str) -> dict[str, Any]:
    """Return an object of Kubernetes as that version wrote it."""
    (found,) = yaml.safe_load_all((FOLDER / version / f"{name}.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def _plain(path: Path) -> list[Any]:
    content = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return [msgspec.json.decode(line) for line in content.splitlines()]
    if path.suffix == ".json":
        return [msgspec.json.decode(content)]
    found = yaml.safe_load(content)
    return [found["data"]] if found["kind"] == "ControllerRevision" else [found]
