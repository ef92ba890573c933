"""The page of a kind: each field with its whole path, its type, default, bounds and rules."""

from collections.abc import Iterator

from penstock.api.definitions import KindDefinition
from penstock.api.field_tree import FieldNode, field_tree, walk
from penstock.api.schema import GROUP, VERSION
from penstock.api.schema_words import bounds, choices, default_text, requirements, type_name
from penstock.reference.markdown import anchor, code, codes, page, prose, table

DEEPEST = 3  # of the list of sections; what is further in is linked from where it is


def kind_page(kind: KindDefinition) -> str:
    """Return the page of a kind."""
    root = field_tree(kind)
    name = kind.name.lower()
    first_line = f"`# yaml-language-server: $schema=PATH/{name}.json`"
    return page(
        kind.name,
        "\n\n".join(map(prose, root.paragraphs)),
        table(
            ("", ""),
            [
                ("`apiVersion`, `kind`", f"`{GROUP}/{VERSION}`, `{kind.name}`"),
                ("names for kubectl", codes((kind.plural, kind.short_name))),
                ("at the command line", f"`penstock explain {name}.spec`"),
                (
                    "in editors",
                    f"[{name}.json](../schemas/{name}.json), named in a manifest's first line: {first_line}",
                ),
            ],
        ),
        _contents(root),
        _sections(root),
        "## What kubectl get shows",
        table(
            ("column", "what it is", "where it is"),
            [
                (
                    column.name + (" (with `-o wide`)" if column.priority else ""),
                    prose(column.description),
                    code(column.path),
                )
                for column in kind.columns
            ],
        ),
    )


def _sections(root: FieldNode) -> Iterator[str]:
    """Yield a section for each object: what it is, and its fields."""
    for node in walk(root):
        if not node.fields:
            continue
        if node is not root:
            yield f"## {node.beneath}"
            yield from map(prose, node.paragraphs)
            yield from _rules(node)
        for each in node.fields:
            yield _field(each)


def _contents(root: FieldNode) -> str:
    """Return the list of the sections, the deeper the further in."""
    nodes = [node for node in walk(root) if node.fields and node is not root and node.path.count(".") < DEEPEST]
    return "\n".join(f"{'  ' * node.path.count('.')}- [{node.beneath}]({anchor(node.beneath)})" for node in nodes)


def _rules(node: FieldNode) -> Iterator[str]:
    sentences = [f"- {prose(sentence)}" for sentence in requirements(node.schema)]
    if sentences:
        yield from ("Rules:", "\n".join(sentences), "Fields:")  # two lists need words between them


def _field(node: FieldNode) -> str:
    """Return a field as an item of a list: a line with its name, and beneath it what it is."""
    default = default_text(node.schema)
    words = [f"- **{code(node.path)}**", code(type_name(node.schema))]
    words += ["required"] if node.is_required else []
    words += [f"default {code(default)}"] if default else []
    beneath = [prose(node.paragraphs[0])] if node.fields else [*map(prose, node.paragraphs)]
    if node.fields:
        beneath.append(f"Its fields: [{node.beneath}]({anchor(node.beneath)}).")
    else:
        beneath.extend(f"Rule: {prose(sentence)}" for sentence in requirements(node.schema))
    if values := choices(node.schema):
        beneath.append(f"One of {codes(values)}.")
    if sentences := " ".join(map(prose, bounds(node.schema))):
        beneath.append(sentences)
    beneath.extend(map(prose, node.remarks()))
    return "\n\n".join([" · ".join(words), *(f"  {paragraph}" for paragraph in beneath)])
