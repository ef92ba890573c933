"""The one reader of objects of ours that the API server or a file holds.

Somebody else may have written them: a newer operator, an older one, an editor. So fields that this version does not
know are passed over at every depth, and what cannot be read all the same is a value that says why. A manifest that a
person hands in goes through `penstock.api.validation` instead, which lets no mistake pass.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from penstock_jobs.contract.document import convert_tolerantly
from penstock_jobs.contract.errors import Refused

Kind = TypeVar("Kind", bound=msgspec.Struct)

_PROBLEM = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_UNKNOWN = re.compile(r"Invalid (?:enum )?value (.*)")


@dataclass(frozen=True)
class Unreadable:
    """An object that this version of Penstock cannot read, and why.

    Attributes:
        kind: its kind.
        name: its name.
        generation: that of its spec, where it has one: since when it can be said not to be readable.
        field: the path of the field that is not as it should be, empty for the object itself.
        problem: what is wrong with that field, the predicate of a sentence.
    """

    kind: str
    name: str
    generation: int | None
    field: str
    problem: str

    @property
    def sentence(self) -> str:
        """Why it cannot be read, and what to do, for a person."""
        at = "" if self.generation is None else f" (generation {self.generation})"
        return (
            f"{self.kind} {self.name}{at} cannot be read: {self.field or 'it'} {self.problem}. It is left as it is; "
            "change that field, or use the version of Penstock that wrote it."
        )


class CannotBeRead(Refused):
    """Something needs an object that cannot be read; whoever waits for another version may go on with it."""


def decode(found: object, kind: type[Kind]) -> Kind | Unreadable:
    """Return the object as its type, without the fields that the type does not have, or why it cannot be read."""
    return decode_part(found, found, kind)


def decode_part(found: object, part: object, kind: type[Kind], field: str = "") -> Kind | Unreadable:
    """Return a part of an object as its type, as `decode` does the whole; `field` is the path of the part."""
    try:
        return _convert(part, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        return _unreadable(found, kind.__name__, field, str(error))


def require(found: object, kind: type[Kind]) -> Kind:
    """Return the object as its type.

    Raises:
        CannotBeRead: it cannot be read.
    """
    read = decode(found, kind)
    if isinstance(read, Unreadable):
        raise CannotBeRead(read.sentence)
    return read


def _convert(value: object, kind: type[Kind]) -> Kind:
    made: Kind = convert_tolerantly(value, kind)
    return made


def _unreadable(found: object, kind: str, within: str, error: str) -> Unreadable:
    said = _PROBLEM.fullmatch(error)
    problem, path = (said["problem"], said["path"] or "") if said else (error, "")
    missing, unknown = _MISSING.fullmatch(problem), _UNKNOWN.fullmatch(problem)
    if missing is not None:
        path, problem = f"{path}.{missing[1]}".lstrip("."), "is missing"
    elif unknown is not None:
        problem = f"is {unknown[1]}, which this version of Penstock does not know"
    else:
        problem = f"is not as it should be ({problem})"
    metadata = _mapping(_mapping(found).get("metadata"))
    generation = metadata.get("generation")
    return Unreadable(
        kind=str(_mapping(found).get("kind") or kind),
        name=str(metadata.get("name") or ""),
        generation=generation if isinstance(generation, int) else None,
        field=".".join(each for each in (within, path) if each),
        problem=problem,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
