"""`python -m penstock_jobs.errand DOCUMENT`: what a person asks of a storage that only pods reach.

The document is JSON, and holds no secret. Answers go to standard output, a document each, in lines that begin with a
mark; the last one counts those before it, so that a log that was cut is known for what it is. They are cut into parts,
since container runtimes cut long lines by themselves. A refusal is the pod's termination message.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from penstock_jobs import errors, logs
from penstock_jobs.dataset.claim import Claim, move_claim
from penstock_jobs.document import Document, decode
from penstock_jobs.ending import end_on_sigterm
from penstock_jobs.models.listing import SavedModel, saved_models
from penstock_jobs.specification import Location
from penstock_jobs.storage import open_store

MARK = "penstock-answer"
_LINE = 3500  # characters in a line of the log: below 16 KiB of UTF-8


class ListModels(Document, frozen=True, tag="list-models", tag_field="errand"):
    """Answer with a `SavedModel` for each folder that has a manifest, at this location or beneath it."""

    location: Location


class MoveClaim(Document, frozen=True, tag="move-claim", tag_field="errand"):
    """Give a storage that belongs to one Pipeline to another; answer with the `Claim` that was there, if one was."""

    location: Location
    old_uid: str
    new: Claim


Errand = ListModels | MoveClaim


class AnswersCut(Exception):
    """The answers are not all there."""


def main(arguments: list[str] | None = None) -> int:
    """Do the errand; return the exit code."""
    options = _parser().parse_args(arguments)
    logs.set_up("INFO", "text")
    end_on_sigterm()
    try:
        errand: Errand = decode(options.errand.encode(), ListModels | MoveClaim, "The errand")
        for line in answer_lines(_done(errand)):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except errors.JobError as error:
        logs.log.error("%s", error)
        if options.termination_message is not None:
            options.termination_message.write_text(str(error)[:1000], "utf-8")
        return error.exit_code
    return errors.SUCCEEDED


def _done(errand: Errand) -> Iterator[Document]:
    store = open_store(errand.location)
    match errand:
        case ListModels():
            yield from saved_models(store)
        case MoveClaim(old_uid=old, new=new):
            before = move_claim(store, old, new)
            if before is not None:
                yield before


def answer_lines(answers: Iterable[Document]) -> Iterator[str]:
    """Yield the lines that say these answers."""
    count = 0
    for answer in answers:
        count += 1
        content = msgspec.json.encode(answer).decode()
        parts = [content[start : start + _LINE] for start in range(0, len(content), _LINE)]
        for part in parts[:-1]:
            yield f"{MARK}+ {part}"
        yield f"{MARK}. {parts[-1]}"
    yield f"{MARK}= {count}"


def answers_in(lines: Iterable[str], kind: type[Any]) -> Iterator[Any]:
    """Yield the answers that lines of a log have between them; other lines are passed over.

    Raises:
        AnswersCut: the lines ended before the answers did.
    """
    content, count = "", 0
    for line in lines:
        how, separator, rest = line.rstrip("\n").removeprefix(MARK).partition(" ")
        if not line.startswith(MARK) or not separator:
            continue
        if how == "=":
            if int(rest) != count:
                raise AnswersCut
            return
        content += rest
        if how == ".":
            yield msgspec.json.decode(content, type=kind)
            content, count = "", count + 1
    raise AnswersCut


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_jobs.errand", description=__doc__)
    parser.add_argument("errand", help="the document")
    parser.add_argument("--termination-message", type=Path, help="where a refusal goes")
    return parser


__all__ = ["AnswersCut", "Claim", "ListModels", "MoveClaim", "SavedModel", "answer_lines", "answers_in", "main"]

if __name__ == "__main__":
    sys.exit(main())
