"""The page of conditions: each type, and each reason with what it means, read off `penstock.decide.reasons`."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.api.conditions import CONDITION_TYPES
from penstock.decide import reasons
from penstock.reference.markdown import code, page, prose, table

_SECTION = re.compile(r"# --- (.+?) -+")


@dataclass(frozen=True)
class Reason:
    """A reason: the section of the module that it stands in, its word, and what it means."""

    section: str
    word: str
    meaning: str


def all_reasons() -> Iterator[Reason]:
    """Yield each reason in the order of the module.

    Raises:
        ValueError: one of them has no text beneath it that says what it means.
    """
    source = inspect.getsource(reasons)
    statements = ast.parse(source).body
    for statement, after in zip(statements, [*statements[1:], None], strict=True):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(word))) if name[0] != "_":
                match after:
                    case ast.Expr(value=ast.Constant(value=str(meaning))):
                        yield Reason(_section_of(source, statement.lineno), word, " ".join(meaning.split()))
                    case _:
                        raise ValueError(f"{name} has no text beneath it; say there what the reason means.")


def conditions_page() -> str:
    """Return the page."""
    found = list(all_reasons())
    sections = dict.fromkeys(each.section for each in found)
    types = [(code(each.name), " and ".join(each.kinds), prose(each.meaning)) for each in CONDITION_TYPES]
    return page(
        "Conditions and reasons",
        "A condition tells one aspect of the state of an object, as the API conventions of Kubernetes have it. Its "
        "reason is one word for programs, and keeps its meaning; its message is a sentence for people, and may be "
        "worded better any day. Steps of a run and Events have the same reasons.",
        "Where one's own image or operation ends a job with a reason of its own, that word is the reason.",
        "## Types",
        table(("type", "of", "what it tells"), types),
        (
            block
            for section in sections
            for block in _section(section, [each for each in found if each.section == section])
        ),
    )


def _section(title: str, found: list[Reason]) -> Iterator[str]:
    yield f"## {title[0].upper()}{title[1:]}"
    yield table(("reason", "what it means"), [(code(each.word), prose(each.meaning)) for each in found])


def _section_of(source: str, line: int) -> str:
    titles: list[str] = _SECTION.findall("\n".join(source.splitlines()[:line]))
    return titles[-1]
