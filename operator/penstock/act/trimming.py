"""What of an object is worth keeping in memory: what a decision reads, and no more.

A finished run leaves a few pods and Jobs behind; whole, they would cost ten times the run itself.
"""

from collections.abc import Mapping
from typing import Any

from penstock.decide.objects.children import STEP
from penstock.kubernetes.kinds import Object

_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "ownerReferences",
    "creationTimestamp",
    "deletionTimestamp",
)
_ANNOTATIONS = ("batch.kubernetes.io/job-completion-index",)
_SPEC: Mapping[str, tuple[str, ...]] = {
    "Pod": ("nodeName",),
    "Job": ("suspend", "parallelism", "completions", "backoffLimit", "completionMode"),
}
_STATUS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("phase", "reason", "message", "startTime", "conditions", "initContainerStatuses", "containerStatuses"),
}
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trim(found: Object) -> Object:
    """Return the object with only what is read of its kind; objects of our own API lose only what kubectl left."""
    kind = found["kind"]
    if kind not in _SPEC:
        return _ours(found)
    kept: Object = {"apiVersion": found["apiVersion"], "kind": kind}
    kept["metadata"] = _only(found["metadata"], _METADATA)
    annotations = _only(found["metadata"].get("annotations") or {}, _ANNOTATIONS)
    if annotations:
        kept["metadata"]["annotations"] = annotations
    kept["spec"] = _only(found.get("spec") or {}, _SPEC[kind])
    status = found.get("status") or {}
    kept["status"] = _only(status, _STATUS[kind]) if kind in _STATUS else status
    return kept


def _only(found: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}


def _ours(found: Object) -> Object:
    metadata = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    annotations = metadata.get("annotations") or {}
    if _APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != _APPLIED}
    kept = found | {"metadata": metadata}
    if found["kind"] == "ConfigMap" and STEP in (metadata.get("labels") or {}):
        kept.pop("data", None)  # what a step is asked to do: only that it is there is ever asked
    return kept
