"""What every child has: a name that is a function of its owner, labels, and the reference to its owner.

The name is the same each time it is asked for, so the API server refuses the second child of that name; and an object
made again under an old name has another uid, so that it never meets the children of the old one.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from penstock.api.schema import API_VERSION, GROUP
from penstock.decide.names import LONGEST

Object = dict[str, Any]

PIPELINE = f"{GROUP}/pipeline"
RUN = f"{GROUP}/run"
RUN_UID = f"{GROUP}/run-uid"
STEP = f"{GROUP}/step"
ATTEMPT = f"{GROUP}/attempt"
MODEL = f"{GROUP}/model"
REVISION = f"{GROUP}/revision"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "penstock"

LONGEST_LABEL = 63
_HASH = 10  # hexadecimal digits: one chance in a million that two of a million names of one namespace are alike
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Owner:
    """The object whose children these are."""

    kind: str
    name: str
    namespace: str
    uid: str
    api_version: str = API_VERSION


def child_name(owner: Owner, *parts: str | int) -> str:
    """Return the name of a child: a DNS label of at most 52 characters, a function of the owner's uid and the parts.

    It begins with as much of the owner's name as there is room for, for people, and with all of the parts where they
    fit. An attempt of 0, or an empty part, adds nothing to what people read.
    """
    said = "-".join(str(part) for part in parts if part not in (0, ""))
    digest = hashlib.sha256("/".join((owner.uid, *map(str, parts))).encode()).hexdigest()[:_HASH]
    ending = f"{_plain(said)[: LONGEST // 2]}-{digest}".strip("-")
    begin = _plain(owner.name)[: LONGEST - len(ending) - 1].strip("-")
    return f"{begin}-{ending}" if begin else ending


def volume_name(*parts: str) -> str:
    """Return a DNS label for a volume of a pod; two that are not the same never get the same."""
    whole = "-".join(parts)
    plain = _plain(whole)
    if plain == whole and len(plain) <= LONGEST_LABEL:
        return plain
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:_HASH]
    return f"{plain[: LONGEST_LABEL - _HASH - 1].strip('-')}-{digest}".strip("-")


def owner_reference(owner: Owner, *, controller: bool = True) -> Object:
    """Return the reference to the owner. It holds up no deletion, and so needs no right to the owner's finalizers."""
    reference: Object = {"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name, "uid": owner.uid}
    return reference | ({"controller": True} if controller else {})


def metadata(owner: Owner, name: str, labels: dict[str, str], annotations: dict[str, str] | None = None) -> Object:
    """Return the metadata of a child of this owner."""
    made: Object = {
        "name": name,
        "namespace": owner.namespace,
        "labels": {MANAGED_BY: MANAGER, **labels},
        "ownerReferences": [owner_reference(owner)],
    }
    return made | ({"annotations": annotations} if annotations else {})


def run_labels(pipeline: str, run: Owner, step: str | None = None) -> dict[str, str]:
    """Return the labels of a child of a run. Labels of users are not among them."""
    labels = {PIPELINE: pipeline, RUN: run.name, RUN_UID: run.uid}
    return labels | ({STEP: step} if step else {})


def _plain(text: str) -> str:
    return _NOT_ALLOWED.sub("-", text.lower()).strip("-")
