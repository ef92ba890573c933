"""What a job leaves in its pod's status: its result, shortened where Kubernetes would cut it.

A termination message has 4,096 bytes at most; of a longer one the kubelet keeps the end, which nobody can read. So what
is longer is shortened here, from what is needed least, and the message names all that was left out. The whole is then
in the pod's log, in lines that are told by their mark and together by their digest, so that who has no access to the
storage can have it. They are several, since container runtimes cut lines of 16 KiB and count the cuts as lines.
"""

import hashlib
import re
from typing import Any, ClassVar

import msgspec

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.result import DatasetResult, Failure, JobResult, TrainingResult

TERMINATION_MESSAGE = Form("termination-message", 1, since="0.1.0")

MARK = "penstock-result "  # begins each line of the log that has a part of the whole message
LIMIT = 4096  # bytes; `MaxContainerTerminationMessageLength` of the kubelet
_LINE = 3500  # characters of the message in a line of the log: below 16 KiB of UTF-8
_PART = re.compile(rf"{MARK}(\d{{1,9}})/(\d{{1,9}}) (.*)")


class TerminationMessage(VersionedDocument, frozen=True):
    """A result, where the whole of it is stored (nowhere, for a failure), and how many entries a field lacks here.

    `manifests` are those of the Models that training made, so that who cannot read the storage knows what they are;
    without what only a server needs of them. Entries are those of a list or a mapping, counted over all of that name,
    or the characters of a text. What is there of a list is its beginning. Nothing at all of the result fits only where
    its addresses are absurdly long. Where something was omitted, the whole message is in the log: `digest` is its
    sha256, and `lines` are as many as it has there.
    """

    form: ClassVar[Form] = TERMINATION_MESSAGE

    result: JobResult | None
    stored: str | None = None
    manifests: tuple[ModelManifest, ...] = ()
    omitted: dict[str, int] = {}
    digest: str | None = None
    lines: int = 0
    format: str = format_of(TERMINATION_MESSAGE)


def slim(manifest: ModelManifest) -> ModelManifest:
    """Return the manifest without what only a server needs: samples, which are rows of the data, and categories."""
    features = tuple(msgspec.structs.replace(feature, categories=()) for feature in manifest.features)
    return msgspec.structs.replace(manifest, features=features, samples=(), files={}, versions={})


def termination_message(whole: TerminationMessage) -> TerminationMessage:
    """Return the message: as compact JSON in UTF-8 it has at most `LIMIT` bytes."""
    if _fits(whole):
        return whole
    digest = hashlib.sha256(_encode(whole)).hexdigest()
    message = msgspec.structs.replace(whole, digest=digest, lines=len(log_lines(whole)))
    for name in _fields_by_need(whole.result):
        message = _shorten(message, name)
        if _fits(message):
            return message
    omitted = {"result": 1} | ({"manifests": len(whole.manifests)} if whole.manifests else {})
    return msgspec.structs.replace(message, result=None, manifests=(), omitted=omitted)


def log_lines(whole: TerminationMessage) -> list[str]:
    """Return the lines for the log that have the whole message between them, without their ends."""
    content = _encode(whole).decode()
    parts = [content[start : start + _LINE] for start in range(0, len(content), _LINE)]
    return [f"{MARK}{number}/{len(parts)} {part}" for number, part in enumerate(parts, 1)]


def find_in_log(log: str, digest: str) -> bytes | None:
    """Return the whole message of that digest, as JSON, from a pod's log; None where the log does not have it all.

    What comes between and after its lines does no harm, so that the tail of a log is enough: `lines` of the message,
    and some more.
    """
    parts: dict[int, dict[int, str]] = {}
    for line in log.split("\n"):
        # Another process may have written the beginning of the line, and not its end.
        if (match := _PART.search(line)) is not None:
            parts.setdefault(int(match[2]), {})[int(match[1])] = match[3]
    for count, found in parts.items():
        content = "".join(found.get(number, "") for number in range(1, count + 1)).encode()
        if hashlib.sha256(content).hexdigest() == digest:
            return content
    return None


def _fields_by_need(result: JobResult | None) -> tuple[str, ...]:
    match result:
        case DatasetResult():
            return ("remarks", "columns", "classes", "parameters", "identity")
        case TrainingResult():
            return ("manifests", "warnings", "models", "best")
        case Failure():
            return ("message",)
    return ("warnings", "undefined", "scores", "models")


def _shorten(message: TerminationMessage, name: str) -> TerminationMessage:
    """Return the message with as much of that field, wherever it is in the result, as fits beside the rest."""
    longest = max((len(value) for value in _values(_document_with(message, name), name)), default=0)
    fits, fits_not = 0, longest + 1
    while fits_not - fits > 1:
        middle = (fits + fits_not) // 2
        fits, fits_not = (middle, fits_not) if _fits(_cut(message, name, middle)) else (fits, middle)
    return _cut(message, name, fits)


def _cut(message: TerminationMessage, name: str, most: int) -> TerminationMessage:
    lacking = sum(max(len(value) - most, 0) for value in _values(_document_with(message, name), name))
    omitted = message.omitted | ({name: lacking} if lacking else {})
    if name == "manifests":
        return msgspec.structs.replace(message, manifests=message.manifests[:most], omitted=omitted)
    return msgspec.structs.replace(message, result=_replace_fields(message.result, name, most), omitted=omitted)


def _document_with(message: TerminationMessage, name: str) -> Document | None:
    """Return what of the message has the fields of that name."""
    return message if name == "manifests" else message.result


def _values(value: Any, name: str) -> list[Any]:
    """Return all fields of that name, in a struct and those in its fields."""
    if isinstance(value, tuple):
        return [found for each in value for found in _values(each, name)]
    if not isinstance(value, msgspec.Struct):
        return []
    fields = {field: getattr(value, field) for field in value.__struct_fields__}
    own = [fields.pop(name)] if name in fields else []
    return own + [found for each in fields.values() for found in _values(each, name)]


def _replace_fields(value: Any, name: str, most: int) -> Any:
    """Return the value with at most so many entries in each field of that name."""
    if isinstance(value, tuple):
        return tuple(_replace_fields(each, name, most) for each in value)
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {field: getattr(value, field) for field in value.__struct_fields__}
    changed = {
        field: _first_entries(each, most) if field == name else _replace_fields(each, name, most)
        for field, each in fields.items()
    }
    return msgspec.structs.replace(value, **changed)


def _first_entries(value: Any, most: int) -> Any:
    if isinstance(value, dict):
        return dict(list(value.items())[:most])
    return value[:most]


def _fits(message: TerminationMessage) -> bool:
    return len(_encode(message)) <= LIMIT


def _encode(message: Document) -> bytes:
    return msgspec.json.encode(message)
