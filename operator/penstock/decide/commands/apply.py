"""What `kubectl apply` makes of a manifest and an object that is there, for objects of a CRD: a JSON merge patch.

What the manifest said when it was last applied is kept in an annotation, the same that kubectl keeps. So kubectl and
`penstock run` can be used in turn, and each takes away what the manifest no longer says.
"""

import json
from collections.abc import Mapping
from typing import Any

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Object = dict[str, Any]


def to_create(manifest: Mapping[str, Any]) -> Object:
    """Return the object to make, where there is none: the manifest, which is kept in it."""
    plain = _plain(manifest)
    applied = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    metadata = plain["metadata"]
    annotations = {**(metadata.get("annotations") or {}), LAST_APPLIED: applied}
    return plain | {"metadata": metadata | {"annotations": annotations}}


def to_patch(manifest: Mapping[str, Any], there: Mapping[str, Any]) -> Object:
    """Return the patch that makes the object what the manifest says; empty where it is that already.

    A field that another than the manifest has set stays. So do lists as they are set here: they are taken as a whole.
    """
    before = (there["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    last, new = _content_of(_last(before)), _content_of(manifest)
    patch = _merge_patch(last, new, _content_of(there))
    if not patch and (before is None or _exactly(last) == _exactly(new)):
        return {}
    applied = to_create(manifest)["metadata"]["annotations"][LAST_APPLIED]
    metadata = patch.get("metadata") or {}
    annotations = (metadata.get("annotations") or {}) | {LAST_APPLIED: applied}
    return patch | {"metadata": metadata | {"annotations": annotations}}


def _merge_patch(last: Mapping[str, Any], new: Mapping[str, Any], there: Mapping[str, Any]) -> Object:
    patch: Object = {name: None for name in last if name not in new and name in there}
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(there.get(name), dict):
            earlier = last.get(name)
            beneath = _merge_patch(earlier if isinstance(earlier, dict) else {}, value, there[name])
            if beneath:
                patch[name] = beneath
        elif value is None:
            patch |= {name: None} if name in there else {}
        elif name not in there or _exactly(there[name]) != _exactly(value):
            patch[name] = value
    return patch


def _exactly(value: Any) -> str:
    """Return the value as text that tells apart what Python holds equal: 1 and true."""
    return json.dumps(value, sort_keys=True)


def _content_of(manifest: Mapping[str, Any]) -> Object:
    """Return what a manifest says of an object, besides which one it is.

    Labels and annotations are always there: with the last one of the manifest's own, those of others would go too.
    """
    metadata = manifest.get("metadata") or {}
    annotations = {name: each for name, each in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    kept = {"labels": metadata.get("labels") or {}, "annotations": annotations}
    return {"metadata": kept, "spec": manifest.get("spec") or {}}


def _plain(manifest: Mapping[str, Any]) -> Object:
    """Return the manifest without what only the server says."""
    metadata = {
        name: value
        for name, value in manifest["metadata"].items()
        if name in ("name", "namespace", "labels", "annotations") and value is not None
    }
    if "annotations" in metadata:
        kept = {name: value for name, value in metadata["annotations"].items() if name != LAST_APPLIED}
        metadata["annotations"] = kept
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": metadata,
        "spec": manifest["spec"],
    }


def _last(annotation: str | None) -> Object:
    try:
        found = json.loads(annotation or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
