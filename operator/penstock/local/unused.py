"""Fields of a manifest that mean nothing on a laptop: they are listed, and nothing is refused for them."""

from collections.abc import Mapping
from typing import Any

from penstock.api.cluster_only import cluster_only


def unused_fields(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that the manifest's spec sets and a laptop has no use for."""
    return tuple(fault.field for fault in cluster_only({"spec": spec}))
