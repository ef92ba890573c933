"""The one shape of everything that a job reads or writes: frozen values, camelCase JSON, unknown fields refused."""

from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, overload

import msgspec

from penstock_jobs.errors import Refused


class Document(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """A frozen value that is written as a JSON object with camelCase names, and read back equal."""


DocumentType = TypeVar("DocumentType")


def encode(document: object) -> bytes:
    """Return the document as UTF-8 JSON, two spaces deep, keys in the order of the fields, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


@overload
def decode(content: bytes, kind: type[DocumentType], origin: str) -> DocumentType: ...
@overload
def decode(content: bytes, kind: UnionType, origin: str) -> Any: ...
def decode(content: bytes, kind: Any, origin: str) -> Any:
    """Return the document of this kind, or raise `Refused` with a sentence that names where it came from."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Refused(f"{origin} cannot be read: {error}.") from error


@overload
def read(path: Path, kind: type[DocumentType]) -> DocumentType: ...
@overload
def read(path: Path, kind: UnionType) -> Any: ...
def read(path: Path, kind: Any) -> Any:
    """Return the document of this kind that the file holds."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    return decode(content, kind, str(path))
