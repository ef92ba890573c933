"""What the API server would refuse, found before it is asked."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from penstock.api.resource import KINDS, Resource
from penstock_jobs.errors import Refused


@dataclass(frozen=True)
class Finding:
    """What is wrong in a manifest: where, and what to do, in one sentence. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    field: str
    sentence: str


def validate_file(path: Path | str) -> list[Finding]:
    """Return everything that is wrong in the manifests of a file."""
    try:
        load_file(path)
    except Refused as error:
        return [Finding(str(path), 1, 1, "", str(error))]
    return []


def load_file(path: Path | str) -> list[Resource]:
    """Return the resources that a file describes, or raise `Refused` with everything that is wrong in it."""
    resources = []
    for document in yaml.safe_load_all(Path(path).read_text("utf-8")):
        if document is None:
            continue
        kind = KINDS.get(document.get("kind"))
        if kind is None:
            raise Refused(f"{path}: kind is not one of {', '.join(KINDS)}.")
        try:
            resources.append(msgspec.convert(document, kind))
        except msgspec.ValidationError as error:
            raise Refused(f"{path}: {error}.") from error
    return resources
