"""What is wrong with one document, before anybody knows in which line: what the API server refuses, and what it means.

The schema and the CEL rules are those of the very CRD.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from penstock.api import definitions, structure
from penstock.api.findings import Fault, closest_name, format_value, join_names
from penstock.api.metadata_schema import metadata_schema
from penstock.api.resource import KINDS, Resource
from penstock.api.rules import broken_rules
from penstock.api.schema import API_VERSION
from penstock.api.semantics import semantic_faults
from penstock.api.structural import Schema
from penstock.api.unimplemented import missing_feature_faults

_LONGEST_PREFIX = 58


def refusals(value: Any) -> list[Fault]:
    """Return what the API server would refuse of a document: its kind first, or else its structure and its rules."""
    wrong = list(kind_faults(value))
    if wrong:
        return wrong
    schema = _schema(value["kind"])
    full = structure.with_defaults(value, schema)
    wrong = list(structure.faults(full, schema))
    wrong += _name_faults(full.get("metadata"), schema)
    return [*wrong, *broken_rules(full, schema, [fault.path for fault in wrong])]


def pipeline_faults(value: dict[str, Any]) -> list[Fault]:
    """Return what is wrong with a Pipeline, as a manifest has it: what the API server refuses, and what it means."""
    wrong = refusals(value)
    wrong += missing_feature_faults("Pipeline", value, laptop=False)
    return wrong or list(semantic_faults(resource_of(value)))


def spec_schema(kind: str) -> Schema:
    """Return the schema of the spec of a kind."""
    found: Schema = _schema(kind)["properties"]["spec"]
    return found


def _name_faults(metadata: Any, schema: Schema) -> Iterator[Fault]:
    """Yield what is wrong with the name to be: there is none, or what is made of `generateName` would not do."""
    if not isinstance(metadata, dict):
        return
    prefix = metadata.get("generateName")
    if not prefix and "name" not in metadata:
        yield Fault(("metadata",), "is missing; add it", ("name",))
    elif prefix and isinstance(prefix, str) and "name" not in metadata:
        # The API server cuts a long prefix, and puts five letters or digits of its own behind it.
        name = schema["properties"]["metadata"]["properties"]["name"]
        said = structure.faults(f"{prefix[:_LONGEST_PREFIX]}bcdfg", name)
        yield from (Fault(("metadata", "generateName"), f"makes a name that {fault.sentence}") for fault in said)


def kind_faults(value: Any) -> Iterator[Fault]:
    """Yield what is wrong with a document that is of no kind of ours."""
    if not isinstance(value, dict):
        yield Fault(
            (), f"is {format_value(value)}, and a manifest is a mapping of fields: apiVersion, kind, metadata and spec"
        )
        return
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None:
        yield Fault((), f"is missing; add apiVersion: {API_VERSION}", ("apiVersion",))
    elif version != API_VERSION:
        yield Fault(("apiVersion",), f"is {format_value(version)}, and Penstock knows {API_VERSION}; write that")
    if kind is None:
        yield Fault((), f"is missing; add one of {join_names(KINDS)}", ("kind",))
    elif not isinstance(kind, str) or kind not in KINDS:
        likely = closest_name(kind, KINDS) if isinstance(kind, str) else None
        ending = f"did you mean {likely}?" if likely else f"it is one of {join_names(KINDS)}."
        yield Fault(("kind",), f"is {format_value(kind)}, which Penstock does not have; {ending}")


@cache
def _schema(kind: str) -> Schema:
    found = next(each for each in definitions.KINDS if each.name == kind)
    schema = definitions.object_schema(found)
    name = schema["properties"]["metadata"]["properties"]["name"]
    fields = schema["properties"] | {"metadata": metadata_schema(name)}
    return schema | {"properties": fields, "required": ["metadata", "spec"]}


def resource_of(value: Any) -> Resource:
    """Return the resource; with the defaults that the API server would fill in."""
    kind = KINDS[value["kind"]]
    return msgspec.convert(structure.with_defaults(value, _schema(value["kind"])), kind)
