"""The schemas for editors, and what a validator of JSON Schema, as editors have one, says of a manifest by them."""

import json
from typing import Any

from jsonschema import Draft7Validator

from penstock.api.definitions import KINDS
from penstock_command import ROOT

SCHEMAS = {
    kind.name: json.loads((ROOT / f"docs/schemas/{kind.name.lower()}.json").read_text("utf-8")) for kind in KINDS
}


def editor_mistakes(document: Any, kind: str | None = None) -> list[str]:
    """Return what an editor underlines in a document, by the schema of its kind or of the one that is given."""
    validator = Draft7Validator(SCHEMAS[kind or document["kind"]])
    return [error.message for error in validator.iter_errors(document)]
