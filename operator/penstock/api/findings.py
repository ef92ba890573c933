"""What is wrong in a manifest: where, and what to do, in a sentence."""

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. Lines and columns count from 1; `sentence` names the field, and says what to do."""

    file: str
    line: int
    column: int
    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.sentence}"


@dataclass(frozen=True)
class Position:
    """Where something stands in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Fault:
    """What is wrong at a path of a document, before anybody looked up the line. The sentence follows the field's name.

    `beside` is the field, beneath the path, that is missing or that the sentence is about. `place` is where it stands,
    where the path does not tell.
    """

    path: Path
    sentence: str
    beside: Path = ()
    place: Position | None = None

    @property
    def field(self) -> str:
        """The field as the API server writes it: `spec.training.algorithms[0].name`."""
        return field_name((*self.path, *self.beside))

    @property
    def full_sentence(self) -> str:
        """The whole sentence, which begins with the field."""
        ended = self.sentence if self.sentence.endswith((".", "?")) else f"{self.sentence}."
        return f"{self.field or 'The document'}{': ' if ended[:1].isupper() else ' '}{ended}"


def field_name(path: Path) -> str:
    """Return a path as the API server writes it: `spec.training.algorithms[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def format_value(value: Any, longest: int = 60) -> str:
    """Return a value as a manifest would have it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def join_names(names: Iterable[str]) -> str:
    """Return names as a person lists them: `a, b or c`."""
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last


def join_some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like a wrong one, if one is."""
    choices = {each.lower(): each for each in known}
    likely = difflib.get_close_matches(name.lower(), choices, n=1, cutoff=0.6)
    return choices[likely[0]] if likely else None
