"""What the API server asks of `metadata`, which no CRD describes."""

from typing import Any

from penstock.api.scalars import ANNOTATION, LABEL, LABEL_VALUE, NAME_PREFIX, QUALIFIED_NAME, SUBDOMAIN
from penstock.api.structural import Schema

TEXT: Schema = {"type": "string"}
LABEL_NAME: Schema = {"type": "string", "maxLength": 317, "pattern": QUALIFIED_NAME}
ANNOTATION_NAME: Schema = {"type": "string", "maxLength": 317, "pattern": ANNOTATION}
NUMBER: Schema = {"type": "integer", "minimum": 0}

OWNER: Schema = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        "apiVersion": TEXT,
        "kind": TEXT,
        "name": TEXT,
        "uid": TEXT,
        "controller": {"type": "boolean"},
        "blockOwnerDeletion": {"type": "boolean"},
    },
}


def metadata_schema(name: Schema) -> Schema:
    """Return the schema of `metadata`; `name` is what the CRD asks of the name besides."""
    rules: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 253, "pattern": SUBDOMAIN}
    return {
        "type": "object",
        "properties": {
            "name": rules | name,
            "generateName": {"type": "string", "maxLength": 253, "pattern": NAME_PREFIX},
            "namespace": {"type": "string", "maxLength": 63, "pattern": LABEL},
            "labels": {
                "type": "object",
                "propertyNames": LABEL_NAME,
                "additionalProperties": {"type": "string", "maxLength": 63, "pattern": LABEL_VALUE},
            },
            "annotations": {"type": "object", "propertyNames": ANNOTATION_NAME, "additionalProperties": TEXT},
            "uid": TEXT,
            "resourceVersion": TEXT,
            "generation": NUMBER,
            "creationTimestamp": TEXT,
            "deletionTimestamp": TEXT,
            "deletionGracePeriodSeconds": NUMBER,
            "ownerReferences": {"type": "array", "items": OWNER},
            "finalizers": {"type": "array", "items": LABEL_NAME},
            "managedFields": {
                "type": "array",
                "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
            "selfLink": TEXT,
        },
    }
