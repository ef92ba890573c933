"""Fields of a manifest that mean nothing on a laptop: they are listed, and nothing is refused for them."""

from collections.abc import Mapping
from typing import Any

_SETTINGS = (
    "profile",
    "parallelism",
    "resources.requests",
    "resources.limits.cpu",
    "resources.limits.ephemeral-storage",
    "pendingLimit",
    "retries.backoff",
    "image",
    "imagePullSecrets",
    "serviceAccountName",
    "nodeSelector",
    "tolerations",
    "runtimeClassName",
    "priorityClassName",
    "queueName",
    "podTemplate",
)
_JOBS = ("dataset", "training", "testing")
FIELDS = (
    "deployment.replicas",
    "deployment.port",
    "jobs.deployment",
    "logs.format",
    "logs.retention",
    "retention.runs",
    "retention.models",
    *(f"jobs.{job}.{name}" for job in _JOBS for name in _SETTINGS),
)


def unused_fields(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that the manifest's spec sets and a laptop has no use for."""
    return tuple(f"spec.{field}" for field in FIELDS if _is_set(spec, field))


def _is_set(value: Any, field: str) -> bool:
    for name in field.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True
