"""What a structural schema refuses, in sentences: types, bounds, unknown and missing fields, and names given twice.

The schema is that of the CRD, so that what is found here is what the API server would refuse. Defaults are filled in on
the way, and a null is taken as a field that is not there, as the API server does it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from penstock.api.findings import Fault, Path, closest_name, format_value, join_names
from penstock.api.renamed_fields import FORMER_NAMES, FORMER_TYPE
from penstock.api.scalars import NEVER_REPEATED, SHARE, phrase
from penstock.api.structural import Schema

_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_WORDS = {
    "string": "text",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of fields",
}


def with_defaults(value: Any, schema: Schema) -> Any:
    """Return the value with the schema's defaults filled in and nulls left out, as the API server stores it."""
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        given = {name: each for name, each in value.items() if each is not None or name not in known}
        for name, each in known.items():
            if name not in given and "default" in each:
                given[name] = each["default"]
        return {name: with_defaults(each, known[name]) if name in known else each for name, each in given.items()}
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(each, schema["items"]) for each in value]
    return value


def faults(value: Any, schema: Schema, path: Path = ()) -> Iterator[Fault]:
    """Yield everything in the value, at this path, that the schema refuses."""
    if schema.get("x-kubernetes-int-or-string"):
        yield from _integer_or_text(value, schema, path)
        return
    kind = schema.get("type")
    if kind is None:
        return
    if not _is_a(value, kind):
        yield Fault(path, _wrong_type(value, schema))
        return
    yield from _OF_TYPE[kind](value, schema, path)


def _object(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[Fault]:
    known: Schema = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(path, "is missing; add it", (name,))
    yield from _one_of(value, schema, path)
    yield from _size(len(value), schema, path, ("minProperties", "maxProperties"), "fields")
    for name, each in value.items():
        yield from faults(name, schema.get("propertyNames", {}), (*path, name))
        if name in known:
            yield from faults(each, known[name], (*path, name))
        elif "additionalProperties" in schema:
            yield from faults(each, schema["additionalProperties"], (*path, name))
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield Fault((*path, name), _unknown(name, schema))


def _one_of(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[Fault]:
    choices = [name for choice in schema.get("oneOf", ()) for name in choice["required"]]
    given = [name for name in choices if name in value]
    if choices and len(given) != 1:
        has = f"has {' and '.join(given)}" if given else f"has neither {', '.join(choices[:-1])} nor {choices[-1]}"
        yield Fault(path, f"{has}; give it exactly one of these")


def _array(value: list[Any], schema: Schema, path: Path) -> Iterator[Fault]:
    yield from _size(len(value), schema, path, ("minItems", "maxItems"), "items")
    for index, each in enumerate(value):
        yield from faults(each, schema["items"], (*path, index))
    if schema.get("x-kubernetes-list-type") == "set":
        yield from _twice(value, path, lambda each: each, "is {} again; remove it")
    if keys := schema.get("x-kubernetes-list-map-keys"):
        said = f"has the {' and '.join(keys)} {{}} of an item before it; give it another {keys[0]}"
        yield from _twice(value, path, lambda each: tuple(each.get(key) for key in keys), said, keys[0])


def _twice(
    value: list[Any], path: Path, key_of: Callable[[Any], Any], sentence: str, beside: str | None = None
) -> Iterator[Fault]:
    seen: list[Any] = []
    for index, each in enumerate(value):
        if beside is not None and (not isinstance(each, dict) or beside not in each):
            continue
        key = key_of(each)
        if key in seen:
            first = key[0] if isinstance(key, tuple) else key
            yield Fault((*path, index), sentence.format(format_value(first)), (beside,) if beside else ())
        seen.append(key)


def _text(value: str, schema: Schema, path: Path) -> Iterator[Fault]:
    if "enum" in schema and value not in schema["enum"]:
        likely = closest_name(value, schema["enum"])
        ending = f"did you mean {likely}?" if likely else "take one of them."
        yield Fault(path, f"is {format_value(value)}, and must be {join_names(schema['enum'])}; {ending}")
        return
    if "minLength" in schema and len(value) < schema["minLength"]:
        least = schema["minLength"]
        wanted = "is empty; give it a value" if not value else f"has {len(value)} characters; give it {least} at least"
        yield Fault(path, wanted)
        return
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield Fault(path, f"has {len(value)} characters, and {schema['maxLength']} fit; shorten it")
        return
    if "pattern" in schema and not _matches(schema["pattern"], value):
        said = "" if schema["pattern"] in NEVER_REPEATED else f" {format_value(value)}, which is"
        yield Fault(path, f"is{said} not {phrase(schema['pattern'])}")


def _integer(value: int, schema: Schema, path: Path) -> Iterator[Fault]:
    if "minimum" in schema and value < schema["minimum"]:
        yield Fault(path, f"is {value}, which is too little; give it {schema['minimum']} at least")
    if "maximum" in schema and value > schema["maximum"]:
        yield Fault(path, f"is {value}, which is too much; give it {schema['maximum']} at most")


def _integer_or_text(value: Any, schema: Schema, path: Path) -> Iterator[Fault]:
    if _is_a(value, "string"):
        yield from _text(value, schema, path)
    elif not _is_a(value, "integer"):
        yield Fault(path, f"is {_describe_value(value)}, and must be an integer or text{_remedy(value, 'string')}")
    elif "pattern" in schema and not _matches(schema["pattern"], str(value)):
        yield Fault(path, f"is {value}, which is not {phrase(schema['pattern'])}")


def _size(size: int, schema: Schema, path: Path, bounds: tuple[str, str], things: str) -> Iterator[Fault]:
    least, most = schema.get(bounds[0], 0), schema.get(bounds[1])
    if size < least:
        yield Fault(path, f"has {size} {things}, and needs {least} at least; add one")
    if most is not None and size > most:
        yield Fault(path, f"has {size} {things}, and {most} are allowed; remove some")


def _none(_value: Any, _schema: Schema, _path: Path) -> Iterator[Fault]:
    yield from ()


_OF_TYPE: dict[str, Callable[[Any, Schema, Path], Iterator[Fault]]] = {
    "object": _object,
    "array": _array,
    "string": _text,
    "integer": _integer,
    "boolean": _none,
}


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, _PYTHON[kind]) and (kind != "integer" or not isinstance(value, bool))


def _matches(pattern: str, value: str) -> bool:
    # Go's `$` is the very end; Python's is also before a last newline.
    return re.search(f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern, value) is not None


def _unknown(name: str, schema: Schema) -> str:
    if former := schema.get(FORMER_NAMES, {}).get(name):
        return str(former["sentence"])
    known: Schema = schema.get("properties", {})
    likely = closest_name(name, known)
    if likely:
        return f"is an unknown field; did you mean {likely}?"
    return f"is an unknown field; {f'the fields here are {join_names(known)}.' if known else 'remove it'}"


def _wrong_type(value: Any, schema: Schema) -> str:
    kind, former = schema["type"], schema.get(FORMER_TYPE)
    if former and _is_a(value, former["type"]):
        return str(former["sentence"])
    if schema.get("pattern") == SHARE and isinstance(value, int | float) and 1 < value <= 100:
        return f"is {_describe_value(value)}, and must be {_WORDS[kind]}; write {value}%"
    return f"is {_describe_value(value)}, and must be {_WORDS[kind]}{_remedy(value, kind)}"


def _describe_value(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"the truth value {format_value(value)}"
        case int() | float():
            return f"the number {format_value(value)}"
        case str():
            return f"the text {format_value(value)}"
        case list():
            return "a list"
    return "a mapping of fields"


def _remedy(value: Any, kind: str) -> str:
    match kind, value:
        case "string", bool():
            return "; yes, no, on and off are truth values in YAML, so put it in quotes"
        case "string", int() | float():
            return f'; put it in quotes: "{value}"'
        case "integer", str() if re.fullmatch(r"-?[0-9]+", value):
            return "; remove the quotes"
        case "integer", float():
            return "; write a whole number"
        case "boolean", str() if value.lower() in ("true", "false"):
            return "; remove the quotes"
        case "array", _:
            return "; begin each item with a dash, or put them in [ ]"
    return ""
