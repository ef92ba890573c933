"""The page of the documents that outlive a process: what jobs are asked, what they report, what is kept in storage."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from msgspec import inspect as types

from penstock.api.schema import Value
from penstock.api.structural import prose as joined_lines
from penstock.decide.cleaning.record import Record
from penstock.decide.objects.revision import Snapshot
from penstock.reference.markdown import anchor, code, codes, page, prose, table
from penstock_jobs.begun_before import BegunRun
from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.notification import NotificationRequest
from penstock_jobs.contract.result import CandidateRow, JobResult
from penstock_jobs.contract.specification import JobSpecification, ServerSpec
from penstock_jobs.contract.storage_requests import PreviousOwner, SavedModel, StorageRequest
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.dataset.claim import Claim
from penstock_jobs.dataset.schema import Schemas
from penstock_jobs.look_memory import LookMemory
from penstock_jobs.networks.saving import Architecture
from penstock_jobs.training.curves import Curves

Struct = type[msgspec.Struct]

DOCUMENTS: tuple[tuple[str, Any], ...] = (
    ("Job specification", JobSpecification),
    ("Result", JobResult),
    ("Termination message", TerminationMessage),
    ("Server specification", ServerSpec),
    ("Model manifest", ModelManifest),
    ("Network architecture", Architecture),
    ("Learning curves", Curves),
    ("Row of a candidate", CandidateRow),
    ("Schemas of the tables", Schemas),
    ("Statistics of the columns", TableStatistics),
    ("Claim of a storage", Claim),
    ("Note of a run that began", BegunRun),
    ("Memory of looks", LookMemory),
    ("Snapshot of a run", Snapshot),
    ("Record of files", Record),
    ("Notification", NotificationRequest),
    ("Storage request", StorageRequest | SavedModel | PreviousOwner),
)
_SIMPLE: dict[type[types.Type], str] = {
    types.AnyType: "any",
    types.BoolType: "boolean",
    types.IntType: "integer",
    types.FloatType: "number",
    types.StrType: "string",
}


def kinds_of(found: Any) -> tuple[Struct, ...]:
    """Return the kinds of document that a type is: those of a union, else itself."""
    return get_args(found) or (found,)


def documents_page() -> str:
    """Return the page."""
    outer = {kind for _, found in DOCUMENTS for kind in kinds_of(found)}
    parts: dict[str, Struct] = {}
    for kind in outer:
        _collect_parts(kind, parts)
    inner = sorted((part for part in parts.values() if part not in outer), key=lambda part: part.__name__)
    return page(
        "Documents",
        "The operator, the jobs and the inference server are programs of their own, and may be of different versions. "
        "What passes between them, and what they keep in storage, are these JSON documents. What is promised of them "
        "is in [releases](../releases.md).",
        "A field that has its default is left out.",
        table(("document", "its `format`", "written since"), map(_overview, DOCUMENTS)),
        (block for title, found in DOCUMENTS for block in _family(title, kinds_of(found))),
        "## Parts",
        (block for part in inner for block in _section(part)),
    )


def _overview(document: tuple[str, Any]) -> tuple[str, str, str]:
    title, found = document
    forms = dict.fromkeys(form for kind in kinds_of(found) if (form := getattr(kind, "form", None)))
    since = ", ".join(f"Penstock {form.since}" for form in forms)
    return f"[{title}]({anchor(title)})", codes(form.name for form in forms), since


def _family(title: str, kinds: tuple[Struct, ...]) -> Iterator[str]:
    yield f"## {title}"
    if len(kinds) > 1:
        about = inspect.getdoc(inspect.getmodule(kinds[0])) or ""
        yield prose(about.split("\n\n")[0])
    for kind in kinds:
        yield from _section(kind)


def _section(kind: Struct) -> Iterator[str]:
    yield f"### {kind.__name__}"
    yield from map(prose, _with_names_of_json(kind, joined_lines(kind)).split("\n\n"))
    rows = list(_rows(kind))
    yield table(("field", "type", ""), rows) if rows else ""


def _with_names_of_json(kind: Struct, text: str) -> str:
    """Return a docstring with the fields called as the document has them."""
    for each in msgspec.structs.fields(kind):
        text = text.replace(f"`{each.name}`", f"`{each.encode_name}`")
    return text


def _rows(kind: Struct) -> Iterator[tuple[str, str, str]]:
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)
    if info.tag_field is not None:
        yield code(info.tag_field), code(str(info.tag)), "required"
    for each in info.fields:
        yield code(each.encode_name), _words(each.type), "required" if each.required else ""


def _words(info: types.Type) -> str:
    """Return a type in words, with links to the documents that it is made of."""
    match info:
        case types.Metadata(type=inner):
            return _words(inner)
        case types.UnionType(types=several):
            return " or ".join(_words(each) for each in several if not isinstance(each, types.NoneType))
        case types.LiteralType(values=values):
            return codes(map(str, values))
        case types.VarTupleType(item_type=item) | types.ListType(item_type=item):
            return f"list of {_words(item)}"
        case types.TupleType(item_types=items):
            return f"list of {', '.join(map(_words, items))}"
        case types.DictType(value_type=item):
            return f"map of {_words(item)}"
        case types.StructType(cls=cls) if issubclass(cls, Value):
            return f"[{cls.__name__}](pipeline.md)"
        case types.StructType(cls=cls):
            return f"[{cls.__name__}]({anchor(cls.__name__)})"
    return _SIMPLE[type(info)]


def _collect_parts(kind: Struct, found: dict[str, Struct]) -> None:
    """Add the documents that a kind of document is made of, at any depth."""

    def look(info: types.Type) -> None:
        match info:
            case types.Metadata(type=inner):
                look(inner)
            case types.UnionType(types=several) | types.TupleType(item_types=several):
                for each in several:
                    look(each)
            case types.VarTupleType(item_type=item) | types.ListType(item_type=item) | types.DictType(value_type=item):
                look(item)
            case types.StructType(cls=cls, fields=fields) if not issubclass(cls, Value) and cls not in found.values():
                if cls.__name__ in found:
                    raise ValueError(f"Two documents are called {cls.__name__}; give one of them a name of its own.")
                found[cls.__name__] = cls
                for field in fields:
                    look(field.type)

    look(types.type_info(kind))
