"""What a schema says of a field, in words: its type, its bounds, its default. For the reference and for `explain`."""

import json
from collections.abc import Iterator

from penstock.api.findings import join_names
from penstock.api.scalars import phrase
from penstock.api.structural import Schema


def type_name(schema: Schema) -> str:
    """Return the type as `kubectl explain` writes it: `string`, `[]object`, `map[string]string`."""
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    match schema.get("type"):
        case None:
            return "any"
        case "array":
            return f"[]{type_name(schema['items'])}"
        case "object" if "additionalProperties" in schema:
            return f"map[string]{type_name(schema['additionalProperties'])}"
        case name:
            return str(name)


def default_text(schema: Schema) -> str | None:
    """Return the default as a manifest would have it; None where nothing is filled in, or only beneath the field."""
    default = schema.get("default")
    if default in (None, "") or isinstance(default, dict):
        return None
    return default if isinstance(default, str) else json.dumps(default)


def choices(schema: Schema) -> tuple[str, ...]:
    """Return the values that the field, or each item of it, may have; none where they are not a list of words."""
    return tuple(schema.get("enum") or schema.get("items", {}).get("enum") or ())


def bounds(schema: Schema) -> Iterator[str]:
    """Yield a sentence for each bound of the value."""
    yield from _pattern(schema)
    yield from _sizes(schema)
    of_items = schema.get("items") or schema.get("additionalProperties") or {}
    if of_items and of_items.get("type") != "object":
        yield from (f"Each: {sentence[0].lower()}{sentence[1:]}" for sentence in bounds(of_items))


def requirements(schema: Schema) -> Iterator[str]:
    """Yield the sentence of each rule that crosses the fields of an object, or of each item of a list."""
    if one_of := [name for choice in schema.get("oneOf", ()) for name in choice["required"]]:
        yield f"Give exactly one of {join_names(one_of)}."
    yield from dict.fromkeys(rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
    yield from requirements(schema["items"]) if "items" in schema else ()


def _pattern(schema: Schema) -> Iterator[str]:
    if "pattern" in schema:
        words = phrase(schema["pattern"])
        yield f"{words[0].upper()}{words[1:]}."


def _sizes(schema: Schema) -> Iterator[str]:
    if (range_ := _range(schema, "minimum", "maximum")) is not None:
        yield f"{range_}."
    if (range_ := _range(schema, "minLength", "maxLength", "character")) is not None:
        yield f"{range_}."
    if (range_ := _range(schema, "minProperties", "maxProperties", "entry")) is not None:
        yield f"{range_}."
    range_ = _range(schema, "minItems", "maxItems", "item")
    keys = "` and `".join(schema.get("x-kubernetes-list-map-keys", ()))
    once = f"each `{keys}` once" if keys else "each once" if schema.get("x-kubernetes-list-type") == "set" else None
    if said := ", ".join(filter(None, (range_, once))):
        yield f"{said}."


def _range(schema: Schema, lower: str, upper: str, thing: str | None = None) -> str | None:
    least, most = schema.get(lower), schema.get(upper)
    if least is None and most is None:
        return None
    counted = "" if thing is None else f" {_plural(thing, most or least or 0)}"
    if most is None:
        return f"At least {least:,}{counted}"
    if least is None:
        return f"At most {most:,}{counted}"
    return f"{least:,}{counted}" if least == most else f"{least:,} to {most:,}{counted}"


def _plural(thing: str, count: int) -> str:
    if count == 1:
        return thing
    return f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
