"""From the types to structural schemas, as the API server wants them: no references, no unions, all described."""

import inspect
import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from penstock.api.renamed_fields import with_former_fields
from penstock.api.schema import Value

Schema = dict[str, Any]

_BOUNDS = {
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "integer": {"ge": "minimum", "le": "maximum"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
    "boolean": {},
}


def struct_schema(struct: type[Value]) -> Schema:
    """Return the schema of an object with the fields, defaults and rules of the struct."""
    hints = get_type_hints(struct, include_extras=True)
    properties: Schema = {}
    required: list[str] = []
    for each in msgspec.structs.fields(struct):
        schema = annotation_schema(hints[each.name])
        if each.required:
            required.append(each.encode_name)
        else:
            _add_default(schema, each)
        properties[each.encode_name] = schema
    schema = {"description": prose(struct), "type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if struct.exactly_one:
        schema["oneOf"] = [{"required": [name]} for name in struct.exactly_one]
    if struct.rules:
        schema["x-kubernetes-validations"] = [rule.as_schema() for rule in struct.rules]
    return with_former_fields(schema, struct)


def item_key(schema: Schema) -> str | None:
    """Return the field by which an item of the list is known; None where its items have no name."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    return str(keys[0]) if len(keys) == 1 else None


def annotation_schema(annotation: Any) -> Schema:
    """Return the schema of a type, with the descriptions and bounds that it is annotated with.

    Raises:
        TypeError: a structural schema cannot say this type.
    """
    annotation = _without_none(annotation)
    if get_origin(annotation) is not Annotated:
        return _plain(annotation)
    inner, *notes = get_args(annotation)
    schema = annotation_schema(inner)
    for note in notes:
        if isinstance(note, msgspec.Meta):
            _add_note(schema, note)
    return schema


def schema_for_storage(schema: Schema) -> Schema:
    """Return the schema without the defaults in lists, each told in its description, for the operator to fill in.

    `kubectl apply` replaces the list of a custom resource as a whole. Were defaults stored in its items, it would find
    what it applied changed each time, and so would a GitOps tool.
    """
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: schema_for_storage(each) for name, each in schema["properties"].items()}
    for beneath in ("items", "additionalProperties"):
        if beneath in schema:
            schema[beneath] = (_without_defaults if beneath == "items" else schema_for_storage)(schema[beneath])
    return schema


def _without_defaults(schema: Schema) -> Schema:
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: _without_defaults(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = _without_defaults(schema["items"])
    default = schema.pop("default", None)
    if default not in (None, "") and not isinstance(default, dict):
        schema["description"] = f"{schema['description']} Default: `{json.dumps(default).strip(chr(34))}`."
    return schema


def prose(struct: type) -> str:
    """Return the docstring as paragraphs of one line each, which is what `kubectl explain` wraps."""
    paragraphs = inspect.cleandoc(struct.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _plain(annotation: Any) -> Schema:
    simple: dict[Any, Schema] = {
        str: {"type": "string"},
        int: {"type": "integer"},
        bool: {"type": "boolean"},
        Any: {"x-kubernetes-preserve-unknown-fields": True},
        int | str: {"x-kubernetes-int-or-string": True},
    }
    if annotation in simple:
        return dict(simple[annotation])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": annotation_schema(arguments[0])}
    if origin is dict and arguments[1] is Any:
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if origin is dict:
        return {"type": "object", "additionalProperties": annotation_schema(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return struct_schema(annotation)
    raise TypeError(f"A structural schema cannot say {annotation}.")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    kept = [each for each in get_args(annotation) if each is not type(None)]
    return kept[0] if len(kept) == 1 else int | str if set(kept) == {int, str} else annotation


def _add_note(schema: Schema, note: msgspec.Meta) -> None:
    for bound, name in _BOUNDS.get(schema.get("type", ""), {}).items():
        if (value := getattr(note, bound)) is not None:
            schema[name] = value
    if note.description is not None:
        schema["description"] = _join_descriptions(note.description, schema.get("description"))
    schema.update(note.extra_json_schema or {})


def _join_descriptions(of_field: str, of_type: str | None) -> str:
    """Return what a field is and what its type is, saying nothing twice."""
    if not of_type:
        return of_field
    first, _, rest = of_field.partition(". ")
    if of_type.startswith(first.rstrip(".")):
        return f"{of_type}\n\n{rest}" if rest else of_type
    return f"{of_field}\n\n{of_type}"


def _add_default(schema: Schema, each: msgspec.structs.FieldInfo) -> None:
    default = each.default
    if default is msgspec.NODEFAULT or default is None or default == ():
        return
    schema["default"] = _defaults(schema) if isinstance(default, Value) else default


def _defaults(schema: Schema) -> dict[str, Any]:
    """Return the defaults beneath: the API server checks a default by the rules before it fills in those beneath it."""
    return {name: each["default"] for name, each in schema["properties"].items() if "default" in each}
