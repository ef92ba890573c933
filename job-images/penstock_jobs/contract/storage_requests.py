"""What a person can ask of a storage that only pods reach, and how the answers travel in a pod's log.

Each answer is a document, in lines that begin with a mark; the last line counts the answers, so that a log that was cut
is known for what it is. Answers are cut into parts, since container runtimes cut long lines by themselves.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar, TypeVar

import msgspec

from penstock_jobs.contract.document import Document, Form, VersionedDocument, decode, format_of
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.specification import Location

MARK = "penstock-answer"
_LINE = 3500  # characters in a line of the log: below 16 KiB of UTF-8

Answer = TypeVar("Answer", bound=Document)

STORAGE_REQUEST = Form("errand", 1, since="0.1.0")


class StorageDocument(VersionedDocument, frozen=True, kw_only=True):
    """A question to a storage, or an answer."""

    form: ClassVar[Form] = STORAGE_REQUEST
    format: str = format_of(STORAGE_REQUEST)


class ListModels(StorageDocument, frozen=True, tag="list-models", tag_field="errand"):
    """Answer with a `SavedModel` for each folder that has a manifest, at this location or beneath it."""

    location: Location


class MoveClaim(StorageDocument, frozen=True, tag="move-claim", tag_field="errand"):
    """Give a storage that belongs to one Pipeline to another; answer with the `Owner` that it had, if it had one."""

    location: Location
    old_uid: str
    pipeline: str
    pipeline_uid: str


StorageRequest = ListModels | MoveClaim


class SavedModel(StorageDocument, frozen=True):
    """A folder with a manifest: the Model that it holds, or why it holds none.

    `digest` is that of the manifest. The manifest is without what only a server needs of it.
    """

    uri: str
    digest: str | None = None
    manifest: ModelManifest | None = None
    problem: str | None = None


class PreviousOwner(StorageDocument, frozen=True):
    """The Pipeline that a storage belonged to."""

    pipeline: str
    pipeline_uid: str


class AnswersCut(Exception):
    """The answers are not all there."""


def answer_lines(answers: Iterable[Document]) -> Iterator[str]:
    """Yield the lines that say these answers."""
    count = 0
    for answer in answers:
        count += 1
        content = msgspec.json.encode(answer).decode()
        parts = [content[start : start + _LINE] for start in range(0, len(content), _LINE)]
        for part in parts[:-1]:
            yield f"{MARK}+ {part}"
        yield f"{MARK}.{len(parts)} {parts[-1]}"
    yield f"{MARK}= {count}"


def read_answers(lines: Iterable[str], kind: type[Answer]) -> Iterator[Answer]:
    """Yield the answers that lines of a log have between them; other lines are passed over.

    Raises:
        AnswersCut: the lines ended before the answers did, or some are missing.
    """
    parts: list[str] = []
    count = 0
    for line in lines:
        how, separator, rest = line.rstrip("\n").removeprefix(MARK).partition(" ")
        if not line.startswith(MARK) or not separator:
            continue
        if how == "=":
            if int(rest) != count:
                raise AnswersCut
            return
        parts.append(rest)
        if how.startswith("."):
            if len(parts) != int(how[1:]):
                raise AnswersCut
            yield decode("".join(parts), kind, "An answer in the log")
            parts, count = [], count + 1
    raise AnswersCut
