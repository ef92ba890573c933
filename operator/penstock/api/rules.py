"""The CEL rules of a schema, evaluated without a cluster, with the very expressions that the API server evaluates.

A rule that speaks of `oldSelf` is about a change, and has nothing to say of a file. A rule is not evaluated where the
structure beneath it is wrong already: its answer would only confuse.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from penstock.api.findings import Fault, Path
from penstock.api.structural import Schema

# What CEL reserves cannot name a field there; the API server escapes it, and so do the rules.
_RESERVED = frozenset(
    {
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    }
)


def broken_rules(value: Any, schema: Schema, faulty: Collection[Path], path: Path = ()) -> Iterator[Fault]:
    """Yield the sentence of each rule that does not hold, at this path and beneath.

    Args:
        value: the value, with its defaults filled in.
        schema: its schema.
        faulty: the paths whose structure is wrong.
        path: where the value is.
    """
    rules = schema.get("x-kubernetes-validations", ())
    if rules and not any(each[: len(path)] == path for each in faulty):
        visible = _visible(value, schema)
        for rule in rules:
            if "oldSelf" not in rule["rule"] and not _holds(rule["rule"], visible):
                beside = tuple(rule.get("fieldPath", "").strip(".").split(".")) if rule.get("fieldPath") else ()
                yield Fault(path, rule["message"], beside)
    if isinstance(value, dict):
        for name, each in value.items():
            beneath = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(beneath, dict):
                yield from broken_rules(each, beneath, faulty, (*path, name))
    elif isinstance(value, list) and "items" in schema:
        for index, each in enumerate(value):
            yield from broken_rules(each, schema["items"], faulty, (*path, index))


def escape_name(name: str) -> str:
    """Return the name of a field as CEL has it."""
    if name in _RESERVED:
        return f"__{name}__"
    for character, word in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(character, word)
    return name


def _visible(value: Any, schema: Schema) -> Any:
    """Return what CEL sees of a value: not the fields whose type nobody said."""
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {
            escape_name(name): _visible(each, known[name])
            for name, each in value.items()
            if name in known and _is_typed(known[name])
        }
    if isinstance(value, list) and "items" in schema:
        return [_visible(each, schema["items"]) for each in value]
    return value


def _is_typed(schema: Schema) -> bool:
    if schema.get("type") == "array":
        return _is_typed(schema["items"])
    return "type" in schema or "x-kubernetes-int-or-string" in schema


def _holds(rule: str, value: Any) -> bool:
    return _compile(rule).execute({"self": value}) is True


@lru_cache(maxsize=512)
def _compile(rule: str) -> Any:
    import cel  # it takes a third of a second, and is needed only here

    return cel.compile(rule)
