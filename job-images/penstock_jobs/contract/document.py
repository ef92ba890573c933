"""The one shape of everything that a job reads or writes: frozen values, camelCase JSON, each with its version.

What outlives a process may be read by another version of Penstock. So each such document says its form, and whoever
reads it passes over the fields that it does not know; see docs/versions.md for what each side promises.
"""

from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, TypeVar, overload

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.unknown_fields import OtherForm, without_unknown_fields


@dataclass(frozen=True)
class Form:
    """A form of a kind of document: fields come to it and never go, and none changes its meaning.

    Attributes:
        kind: what the document is.
        number: counts the forms of the kind; a document of another number is refused.
        since: the version of Penstock that wrote the form first.
    """

    kind: str
    number: int
    since: str

    @property
    def name(self) -> str:
        """What the document says in its field `format`."""
        return f"penstock.dev/{self.kind}/v{self.number}"

    def refusal(self, said: object) -> str:
        """Return why a document that says another form is not read."""
        return (
            f"its format is {said}, and this version of Penstock reads {self.name}, which is written since "
            f"Penstock {self.since}; use the version that wrote it"
        )


class Document(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """A frozen value that is written as a JSON object with camelCase names, and read back equal."""


class VersionedDocument(Document, frozen=True):
    """A document that outlives a process, and so says its form.

    Each kind has a base of its own with `form`, and `format: str = format_of(form)`.
    """

    form: ClassVar[Form]

    def __post_init__(self) -> None:
        """Refuse what says that it is of another form; one without a `format` is of the first.

        Raises:
            ValueError: which the reader turns into a `msgspec.ValidationError`.
        """
        said = getattr(self, "format", self.form.name)
        if said != self.form.name:
            raise ValueError(self.form.refusal(said))


DocumentType = TypeVar("DocumentType")


def format_of(form: Form) -> Any:
    """Return the field `format` of a document of this form, which is always written."""
    # A default that were no factory would be left out with the other defaults.
    return msgspec.field(default_factory=lambda: form.name)


def encode(document: object) -> bytes:
    """Return the document as UTF-8 JSON, two spaces deep, keys in the order of the fields, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


@overload
def decode(content: bytes | str, kind: type[DocumentType], origin: str) -> DocumentType: ...
@overload
def decode(content: bytes | str, kind: UnionType, origin: str) -> Any: ...
def decode(content: bytes | str, kind: Any, origin: str) -> Any:
    """Return the document of this kind, whatever more it says than this version knows.

    Raises:
        Refused: it cannot be read, in a sentence that names where it came from.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError:
        return convert(msgspec.json.decode(content), kind, origin)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{origin} cannot be read: {error}.") from error


@overload
def convert(value: object, kind: type[DocumentType], origin: str) -> DocumentType: ...
@overload
def convert(value: object, kind: UnionType, origin: str) -> Any: ...
def convert(value: object, kind: Any, origin: str) -> Any:
    """Return the document of this kind that plain data is, as `decode` does.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return convert_tolerantly(value, kind)
    except msgspec.ValidationError as error:
        raise Refused(f"{origin} cannot be read: {error}.") from error


def convert_tolerantly(value: object, kind: Any) -> Any:
    """Return plain data as its kind, without the fields that the kind does not have.

    Raises:
        msgspec.ValidationError: it cannot be read.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        pass  # what is written as this version writes it need not be gone through field by field
    try:
        return msgspec.convert(without_unknown_fields(value, kind), kind)
    except OtherForm as error:
        raise msgspec.ValidationError(str(error)) from error


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
