"""What every child has: a name that is a function of its owner, labels, and the reference to its owner.

The name is the same each time it is asked for, so the API server refuses the second child of that name; and an object
made again under an old name has another uid, so that it never meets the children of the old one.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from penstock.api.schema import API_VERSION, GROUP
from penstock.decide.names import LONGEST

Object = dict[str, Any]

PIPELINE = f"{GROUP}/pipeline"
RUN = f"{GROUP}/run"
RUN_UID = f"{GROUP}/run-uid"
STEP = f"{GROUP}/step"
ATTEMPT = f"{GROUP}/attempt"
FAILED_TRIES = f"{GROUP}/failed-tries"  # before this Job, of the same part
MEMORY = f"{GROUP}/memory"  # of a try that has more than the job's own
INDEX = f"{GROUP}/execution-index"
MODEL = f"{GROUP}/model"
TRIGGER = f"{GROUP}/trigger"
REVISION = f"{GROUP}/revision"
RECORD = f"{GROUP}/record"  # the uid of the run or Model whose files are recorded, or cleaned
NOTIFICATION = f"{GROUP}/notification"  # the uid of the object of which somebody is told
LOOK = f"{GROUP}/look"  # the uid of the Trigger for which files are looked at
TRIGGER_AWAITED = f"{GROUP}/trigger-awaited"  # of a run about which its Trigger has yet to decide, or to record it
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "penstock"

LONGEST_LABEL = 63
_HASH = 10  # hexadecimal digits: one chance in a million that two of a million names of one namespace are alike
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Owner:
    """The object whose children these are; `pipeline` is the name of the Pipeline that it is, or belongs to."""

    namespace: str
    name: str
    uid: str
    pipeline: str
    kind: Literal["PipelineRun", "Pipeline", "Model", "Trigger"] = "PipelineRun"


def child_name(owner: Owner, part: str, attempt: int = 1, index: int = 1) -> str:
    """Return the name of a child: a DNS label of at most 52 characters, a function of the owner's uid and the others.

    For people it begins with as much of the owner's name, and of the part, as there is room for. An attempt, and the
    index of the run's execution name, enter it from the second on.
    """
    tried = f"-{attempt}" if attempt != 1 else ""
    identity = f"{owner.uid}/{part}{tried}" if index == 1 else f"{owner.uid}/{part}{tried}/{index}"
    said = f"{part}{tried}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_HASH]
    ending = f"{_plain(said)[: LONGEST // 2].strip('-')}-{digest}".strip("-")
    begin = _plain(owner.name)[: LONGEST - len(ending) - 1].strip("-")
    return f"{begin}-{ending}" if begin else ending


def revision_name(owner: Owner) -> str:
    """Return the name of the ControllerRevision that holds what a run is."""
    return child_name(owner, "revision")


def results_name(owner: Owner) -> str:
    """Return the name of the ConfigMap that holds the results of a run's steps."""
    return child_name(owner, "results")


def specification_name(owner: Owner, part: str, index: int = 1, edition: int = 1) -> str:
    """Return the name of the ConfigMap that holds what a job is asked to do under that index, in that edition of it."""
    return child_name(owner, f"{part}-specification", edition, index)


def volume_name(*parts: str) -> str:
    """Return a DNS label for a volume of a pod; two of as many parts that are not the same never get the same."""
    whole = "-".join(parts)
    plain = _plain(whole)
    if plain == whole and len(plain) <= LONGEST_LABEL and not any("-" in part for part in parts[:-1]):
        return plain
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:_HASH]
    return f"{plain[: LONGEST_LABEL - _HASH - 1].strip('-')}-{digest}".strip("-")


def owner_reference(owner: Owner) -> Object:
    """Return the reference to the owner. It holds up no deletion, and so needs no right to the owner's finalizers."""
    return {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
    }


def labels(owner: Owner, part: str | None = None, attempt: int = 1, index: int = 1) -> dict[str, str]:
    """Return the labels of a child, by which it is found again. Labels of users are not among them."""
    run = {RUN: owner.name, RUN_UID: owner.uid} if owner.kind == "PipelineRun" else {}
    trigger = {TRIGGER: owner.name} if owner.kind == "Trigger" else {}
    step = {STEP: part} if part else {}
    tried = {ATTEMPT: str(attempt)} if attempt != 1 else {}
    renamed = {INDEX: str(index)} if index != 1 else {}
    return {MANAGED_BY: MANAGER, PIPELINE: owner.pipeline, **run, **trigger, **step, **tried, **renamed}


def metadata(owner: Owner, name: str, labelled: dict[str, str]) -> Object:
    """Return the metadata of a child of this owner."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": labelled,
        "ownerReferences": [owner_reference(owner)],
    }


def as_json(value: msgspec.Struct) -> Object:
    """Return the value as the API server has it: objects, lists, texts, numbers."""
    plain: Object = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _plain(text: str) -> str:
    return _NOT_ALLOWED.sub("-", text.lower()).strip("-")
