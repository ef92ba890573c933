"""What a job leaves in its pod's status: its result, shortened where Kubernetes would cut it.

A termination message has 4,096 bytes at most; of a longer one the kubelet keeps the end, which nobody can read. So what
is longer is shortened here, from what is needed least, and the message names all that was left out. The whole is then a
line of the pod's log, which is told by its mark and its digest, so that who has no access to the storage can have it.
"""

import hashlib
from typing import Any

import msgspec

from penstock_jobs.document import Document
from penstock_jobs.result import DatasetResult, Failure, JobResult, TrainingResult

MARK = "penstock-result "  # begins the line of the log that has the whole result, as JSON
LIMIT = 4096  # bytes; `MaxContainerTerminationMessageLength` of the kubelet


class TerminationMessage(Document, frozen=True):
    """A result, where the whole of it is stored (nowhere, for a failure), and how many entries a field lacks here.

    Entries are those of a list or a mapping, counted over all of that name, or the characters of a text. What is there
    of a list is its beginning. Nothing at all of the result fits only where its addresses are absurdly long. Where
    something was omitted, `digest` is the sha256 of the whole, as it is in the log.
    """

    result: JobResult | None
    stored: str | None = None
    omitted: dict[str, int] = {}
    digest: str | None = None


def termination_message(result: JobResult, stored: str | None) -> TerminationMessage:
    """Return the message: as compact JSON in UTF-8 it has at most `LIMIT` bytes."""
    message = TerminationMessage(result=result, stored=stored)
    if _fits(message):
        return message
    digest = hashlib.sha256(_encoded(result)).hexdigest()
    message = msgspec.structs.replace(message, digest=digest)
    for name in _least_needed_first(result):
        message = _shortened(message, name)
        if _fits(message):
            return message
    return TerminationMessage(result=None, stored=stored, omitted={"result": 1}, digest=digest)


def whole_result(result: JobResult) -> str:
    """Return the line for the log, without its end."""
    return f"{MARK}{_encoded(result).decode()}"


def result_in_log(log: str, digest: str) -> JobResult | None:
    """Return the result of that digest from a pod's log; None where the log does not have it (any more)."""
    for line in reversed(log.split("\n")):
        content = line.removeprefix(MARK).encode()
        if line.startswith(MARK) and hashlib.sha256(content).hexdigest() == digest:
            found: JobResult = msgspec.json.decode(content, type=JobResult)
            return found
    return None


def _least_needed_first(result: JobResult) -> tuple[str, ...]:
    match result:
        case DatasetResult():
            return ("warnings", "columns", "classes", "identity")
        case TrainingResult():
            return ("warnings", "models", "best")
        case Failure():
            return ("message",)
    return ("warnings", "undefined", "scores", "models")


def _shortened(message: TerminationMessage, name: str) -> TerminationMessage:
    """Return the message with as much of that field, wherever it is in the result, as fits beside the rest."""
    longest = max((len(value) for value in _values(message.result, name)), default=0)
    fits, fits_not = 0, longest + 1
    while fits_not - fits > 1:
        middle = (fits + fits_not) // 2
        fits, fits_not = (middle, fits_not) if _fits(_cut(message, name, middle)) else (fits, middle)
    return _cut(message, name, fits)


def _cut(message: TerminationMessage, name: str, most: int) -> TerminationMessage:
    lacking = sum(max(len(value) - most, 0) for value in _values(message.result, name))
    omitted = message.omitted | ({name: lacking} if lacking else {})
    return msgspec.structs.replace(message, result=_with(message.result, name, most), omitted=omitted)


def _values(value: Any, name: str) -> list[Any]:
    """Return all fields of that name, in a struct and those in its fields."""
    if isinstance(value, tuple):
        return [found for each in value for found in _values(each, name)]
    if not isinstance(value, msgspec.Struct):
        return []
    fields = {field: getattr(value, field) for field in value.__struct_fields__}
    own = [fields.pop(name)] if name in fields else []
    return own + [found for each in fields.values() for found in _values(each, name)]


def _with(value: Any, name: str, most: int) -> Any:
    """Return the value with at most so many entries in each field of that name."""
    if isinstance(value, tuple):
        return tuple(_with(each, name, most) for each in value)
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {field: getattr(value, field) for field in value.__struct_fields__}
    changed = {
        field: _first(each, most) if field == name else _with(each, name, most) for field, each in fields.items()
    }
    return msgspec.structs.replace(value, **changed)


def _first(value: Any, most: int) -> Any:
    if isinstance(value, dict):
        return dict(list(value.items())[:most])
    return value[:most]


def _fits(message: TerminationMessage) -> bool:
    return len(_encoded(message)) <= LIMIT


def _encoded(message: Document) -> bytes:
    return msgspec.json.encode(message)
