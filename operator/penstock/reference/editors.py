"""JSON Schemas of the four kinds, for editors: completion, descriptions and checks while a manifest is written.

They are read off the same types as the CRDs. What crosses fields is CEL there, which no JSON Schema can say: for that
there is `penstock validate`.
"""

import json
import re
from typing import Any

from penstock.api.definitions import KindDefinition
from penstock.api.field_tree import ALWAYS_REQUIRED, field_tree
from penstock.api.metadata_schema import metadata_schema
from penstock.api.scalars import phrase
from penstock.api.schema import GROUP, VERSION
from penstock.api.structural import Schema

DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that every editor reads
_KEPT = frozenset(
    {
        "type",
        "description",
        "default",
        "enum",
        "pattern",
        "required",
        "oneOf",
        *("minimum", "maximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "minProperties", "maxProperties"),
    }
)


_NAMED = {"anyOf": [{"required": ["name"]}, {"required": ["generateName"]}]}


def editor_schema(kind: KindDefinition) -> Schema:
    """Return the JSON Schema of a whole manifest of the kind."""
    schema = field_tree(kind).schema
    fields = schema["properties"]
    made = _json_schema(schema)
    made["properties"] |= {
        "apiVersion": {"const": f"{GROUP}/{VERSION}", "description": fields["apiVersion"]["description"]},
        "kind": {"const": kind.name, "description": fields["kind"]["description"]},
        "metadata": _json_schema(metadata_schema(fields["metadata"]["properties"]["name"])) | _NAMED,
    }
    required = list(dict.fromkeys((*ALWAYS_REQUIRED, *schema["required"])))
    return {"$schema": DRAFT, "title": kind.name} | made | {"required": required}


def editor_file(kind: KindDefinition) -> str:
    """Return the schema as the text of a file."""
    return json.dumps(editor_schema(kind), indent=1, ensure_ascii=False) + "\n"


def _json_schema(schema: Schema) -> Schema:
    """Return a structural schema as JSON Schema, in which an object has no fields but those that are described."""
    made: Schema = {name: value for name, value in schema.items() if name in _KEPT}
    if "pattern" in schema:
        made["patternErrorMessage"] = f"This is not {phrase(schema['pattern'])}."  # of the editors' own, else ignored
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
        if "pattern" in schema and not re.search(schema["pattern"], "-1"):
            made["minimum"] = 0  # a pattern says nothing of numbers here; the API server reads them as text
    if "items" in schema:
        made["items"] = _json_schema(schema["items"])
    if schema.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        if "properties" in schema:
            made["properties"] = {name: _json_schema(each) for name, each in schema["properties"].items()}
        made["additionalProperties"] = _additional(schema)
    if "propertyNames" in schema:
        made["propertyNames"] = _json_schema(schema["propertyNames"])
    return made


def _additional(schema: Schema) -> Any:
    return _json_schema(schema["additionalProperties"]) if "additionalProperties" in schema else False
