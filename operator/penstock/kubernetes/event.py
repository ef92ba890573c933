"""Events of Kubernetes: what `kubectl describe` shows under an object."""

import hashlib
from datetime import datetime

from penstock.decide.decision import Event
from penstock.kubernetes.kinds import EVENT, Object

LONGEST = 1024  # bytes of a note; the API server takes no more
OPERATOR = "penstock.dev/operator"


def event_object(subject: Object, told: Event, instance: str, now: datetime, component: str = OPERATOR) -> Object:
    """Return the event to create; the same name for the same change of the same object.

    Args:
        subject: the object that it is about, as the API server has it.
        told: what is told of it.
        instance: which process tells it.
        now: when.
        component: which program tells it.
    """
    metadata = subject["metadata"]
    version = metadata["resourceVersion"]
    said = "/".join((metadata["uid"], version, told.type, told.reason, told.message))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": f"{metadata['name'][:200]}.{digest}", "namespace": metadata["namespace"]},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": told.type,
        "reason": told.reason,
        "action": told.reason,
        "note": _shorten(told.message),
        "regarding": {
            "apiVersion": subject["apiVersion"],
            "kind": subject["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reportingController": component,
        "reportingInstance": instance[:128],
    }


def _shorten(message: str) -> str:
    whole = message.encode()
    return message if len(whole) <= LONGEST else whole[: LONGEST - 3].decode(errors="ignore") + "…"
