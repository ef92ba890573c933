"""The fields of the four kinds as one tree, of which the reference and `penstock explain` are made.

It is read off the very schemas that make the CRDs, so a field that a manifest may have is in it, and no other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from penstock.api import cluster_only, unimplemented
from penstock.api.definitions import KINDS, KindDefinition, described_schema
from penstock.api.findings import closest_name
from penstock.api.structural import Schema

# The API server asks for these whatever a CRD says, so no CRD says so.
ALWAYS_REQUIRED = ("apiVersion", "kind", "metadata")
_OF_KUBERNETES = {
    "metadata": "The metadata that every object of Kubernetes has: labels, annotations and the rest besides the name.",
    "metadata.name": "Its name, unique among the objects of its kind in the namespace.",
}


@dataclass(frozen=True, kw_only=True)
class FieldNode:
    """A field of a kind, and the fields beneath it.

    Attributes:
        kind: the kind that it is a field of.
        path: its path as a reader writes it, where `[]` stands for an item of a list: `spec.dataset.inputs[].uri`.
        schema: what is said of it; of a list of objects, `items` are the objects.
        is_required: whether the object above it must have it.
        fields: the fields of the object that it is, or of each item that it lists.
    """

    kind: KindDefinition
    path: str
    schema: Schema
    is_required: bool
    fields: tuple["FieldNode", ...] = ()

    @property
    def name(self) -> str:
        """The last word of the path."""
        return self.path.rpartition(".")[2].removesuffix("[]")

    @property
    def beneath(self) -> str:
        """What the paths of the fields beneath begin with."""
        return f"{self.path}[]" if self.schema.get("type") == "array" else self.path

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What it is: of the field first, then of its type."""
        of_items = self.schema.get("items", {}).get("description", "") if self.fields else ""
        said = [self.schema.get("description", ""), of_items]
        found = [paragraph for text in said for paragraph in text.split("\n\n") if paragraph]
        return tuple(dict.fromkeys(found)) or (_OF_KUBERNETES.get(self.path, ""),)

    def remarks(self) -> Iterator[str]:
        """Yield what of it is not there yet, or not on a laptop."""
        for line in unimplemented.TABLE:
            if line.kind == self.kind.name and self._names_in(line.path) is not None:
                yield f"Refused for now{': it' if line.value is unimplemented.ANY else ' where it'} {line.sentence}."
        for line in unimplemented.ON_A_LAPTOP:
            if line.kind == self.kind.name and self._names_in(line.path) is not None:
                yield f"Refused on a laptop: it {line.sentence}."
        of_items: dict[str, list[str]] = {}
        table = {"Pipeline": cluster_only.TABLE, "PipelineRun": cluster_only.OF_A_RUN}.get(self.kind.name, {})
        for pattern, why in table.items():
            if (names := self._names_in(pattern)) is not None:
                of_items.setdefault(why, []).extend(names)
        for why, items in of_items.items():
            of = f" for {', '.join(items)}" if items else ""
            yield f"Means nothing on a laptop{of}: {why}."

    def _names_in(self, pattern: str) -> list[str] | None:
        """Return the names of items that a pattern of fields has in its way to this one; None where it leads elsewhere.

        An item is named by its name there, or by `*` for any.
        """
        own, parts = self.path.replace("[]", ".*").split("."), pattern.split(".")
        if len(own) != len(parts) or any(mine not in (part, "*") for mine, part in zip(own, parts, strict=True)):
            return None
        return [part for mine, part in zip(own, parts, strict=True) if mine == "*" != part]


def walk(node: FieldNode) -> Iterator[FieldNode]:
    """Yield the field and all those beneath it, each before what is beneath it."""
    yield node
    for each in node.fields:
        yield from walk(each)


@lru_cache(maxsize=len(KINDS))
def field_tree(kind: KindDefinition) -> FieldNode:
    """Return the kind as the root of its fields."""
    schema = described_schema(kind)
    root = schema | {"required": [*ALWAYS_REQUIRED, *schema["required"]]}
    return _node(kind, "", root, is_required=True)


def _node(kind: KindDefinition, path: str, schema: Schema, *, is_required: bool) -> FieldNode:
    of_list = schema.get("type") == "array"
    inner = schema["items"] if of_list else schema
    above = f"{path}[]." if of_list else f"{path}." if path else ""
    required = inner.get("required", ())
    fields = tuple(
        _node(kind, f"{above}{name}", each, is_required=name in required)
        for name, each in inner.get("properties", {}).items()
    )
    return FieldNode(kind=kind, path=path, schema=schema, is_required=is_required, fields=fields)


def find_kind(name: str) -> KindDefinition:
    """Return the kind of that name: its own, its plural or its short one, in small letters or not.

    Raises:
        LookupError: there is none; it carries a sentence.
    """
    names = {each: kind for kind in KINDS for each in (kind.name.lower(), kind.plural, kind.short_name)}
    wanted = name.lower()
    if wanted in names:
        return names[wanted]
    likely = closest_name(wanted, names)
    known = ", ".join(kind.name.lower() for kind in KINDS)
    raise LookupError(f"There is no kind {name}; {f'did you mean {likely}?' if likely else f'there are {known}.'}")


def find_field(root: FieldNode, path: str) -> FieldNode:
    """Return the field at the path below the root; `[]` or an index behind a list may be left out.

    Raises:
        LookupError: there is none; it carries a sentence that begins with the kind's name.
    """
    node = root
    for name in filter(None, re.sub(r"\[[^\]]*\]", "", path).split(".")):
        found = [each for each in node.fields if each.name == name]
        if not found:
            raise LookupError(_no_such_field(root, node, name))
        [node] = found
    return node


def _no_such_field(root: FieldNode, node: FieldNode, name: str) -> str:
    kind = root.kind.name.lower()
    here = f"{kind}.{node.path}" if node.path else kind
    if not node.fields:
        return f"{here} has no fields beneath it; leave {name} out."
    names = [each.name for each in node.fields]
    elsewhere = next((each.path for each in walk(root) if each.name.lower() == name.lower()), None)
    if likely := closest_name(name, names):
        return f"{here} has no field {name}; did you mean {likely}?"
    if elsewhere is not None:
        return f"{here} has no field {name}; did you mean {kind}.{elsewhere}?"
    return f"{here} has no field {name}; its fields are {', '.join(names)}."
