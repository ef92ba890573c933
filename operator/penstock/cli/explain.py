"""`penstock explain`: what a field of a manifest is, as `kubectl explain` says it, with no cluster to ask."""

import textwrap
from collections.abc import Iterable, Iterator

import click
from click.shell_completion import CompletionItem

from penstock.api.definitions import KINDS
from penstock.api.field_tree import FieldNode, field_tree, find_field, find_kind
from penstock.api.schema import GROUP, VERSION
from penstock.api.schema_words import bounds, choices, default_text, requirements, type_name
from penstock.cli.terminal import echo
from penstock_jobs.contract.errors import Refused

WIDTH = 100


def _complete(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    above, dot, _ = typed.rpartition(".")
    if not dot:
        found = [(kind.name.lower(), field_tree(kind)) for kind in KINDS]
    else:
        try:
            found = [(f"{above}.{each.name}", each) for each in _node_of(above).fields]
        except LookupError:
            return []
    return [CompletionItem(path, help=node.paragraphs[0]) for path, node in found if path.startswith(typed)]


@click.command()
@click.argument("path", required=False, metavar="KIND[.FIELD…]", shell_complete=_complete)
@click.option("--recursive", is_flag=True, help="All the fields beneath, with their types only.")
def explain(path: str | None, *, recursive: bool) -> None:
    """Say what a field of a manifest is: its type, default, bounds and rules, and the fields beneath it.

    KIND is a kind or its short name, as in penstock explain pipeline.spec.dataset.split; without it the kinds are
    listed.
    """
    if path is None:
        echo("\n".join(_kinds()))
        return
    try:
        node = _node_of(path)
    except LookupError as error:
        raise Refused(str(error)) from error
    echo("\n".join(_page(node, recursive=recursive)))


def _node_of(path: str) -> FieldNode:
    kind, _, rest = path.partition(".")
    return find_field(field_tree(find_kind(kind)), rest)


def _kinds() -> Iterator[str]:
    for kind in KINDS:
        short = field_tree(kind).paragraphs[0]
        yield f"{kind.name.lower()} ({kind.short_name})"
        yield from _wrapped([short], 4)


def _page(node: FieldNode, *, recursive: bool) -> Iterator[str]:
    yield f"GROUP:      {GROUP}"
    yield f"KIND:       {node.kind.name}"
    yield f"VERSION:    {VERSION}"
    yield ""
    if node.path:
        yield f"FIELD: {_title(node)}"
        yield ""
    yield from _section("DESCRIPTION", node.paragraphs)
    yield from _section("NOTE", node.remarks())
    yield from _section("ENUM", choices(node.schema))
    yield from _section("BOUNDS", bounds(node.schema))
    yield from _section("RULES", requirements(node.schema))
    if node.fields:
        yield "FIELDS:"
        for each in node.fields:
            yield from _outline(each, 2) if recursive else _summary(each)


def _title(node: FieldNode) -> str:
    default = default_text(node.schema)
    required = " -required-" if node.is_required else ""
    return f"{node.name} <{type_name(node.schema)}>{required}" + (f", default {default}" if default else "")


def _section(title: str, sentences: Iterable[str]) -> Iterator[str]:
    if lines := list(_wrapped(sentences, 4)):
        yield f"{title}:"
        yield from lines
        yield ""


def _summary(node: FieldNode) -> Iterator[str]:
    yield f"  {_title(node)}"
    yield from _wrapped((*node.paragraphs[:1], *node.remarks()), 4)
    yield ""


def _outline(node: FieldNode, indent: int) -> Iterator[str]:
    yield f"{' ' * indent}{_title(node)}"
    for each in node.fields:
        yield from _outline(each, indent + 2)


def _wrapped(paragraphs: Iterable[str], indent: int) -> Iterator[str]:
    margin = " " * indent
    for paragraph in paragraphs:
        yield from textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
