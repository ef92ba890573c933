"""Patterns as rules with a sentence: a regular expression is no answer to who wrote something else.

Where a text does not match the `pattern` of a schema, the API server prints the regular expression. So in a CRD each
pattern that users can miss is a CEL rule of the same expression, which quotes what was written, and says what was
meant. Patterns of a status stay patterns: nobody but the operator writes there.
"""

import json
from typing import Any

from penstock.api.scalars import NEVER_REPEATED, PHRASES
from penstock.api.structural import Schema


def with_sentences(schema: Schema) -> Schema:
    """Return the schema with each pattern in it as a rule whose sentence says what is meant."""
    told = {name: _beneath(name, each) for name, each in schema.items()}
    pattern = told.pop("pattern", None)
    if pattern is not None:
        told["x-kubernetes-validations"] = [pattern_rule(pattern, or_integer="x-kubernetes-int-or-string" in schema)]
    return told


def pattern_rule(pattern: str, field: str = "", *, or_integer: bool = False) -> dict[str, str]:
    """Return the rule that a text, or the field of that path beneath, matches the pattern.

    An integer that may stand for the text (`or_integer`) is held against the pattern as its digits.
    """
    # Not `string(self)` for all: what it makes of a text has no bound that the API server's estimate of costs knows.
    value = "string(self)" if or_integer else f"self{field}"
    meant = f" is not {PHRASES[pattern]}."
    rule = {"rule": f"{value}.matches({_literal(pattern)})", "message": f"This{meant}"}
    if pattern not in NEVER_REPEATED:
        rule["messageExpression"] = f"""'"' + {value} + {_literal('"' + meant)}"""
    return rule | {"fieldPath": field} if field else rule


def _beneath(name: str, value: Any) -> Any:
    match name, value:
        case ("properties", dict()):
            return {field: with_sentences(each) for field, each in value.items()}
        case ("items" | "additionalProperties", dict()):
            return with_sentences(value)
    return value


def _literal(text: str) -> str:
    """Return the text as a literal of CEL, which reads the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)
