"""The ConfigMap with the whole results of a run's steps, so that a pod, and its log, may go.

A result is plain JSON under the step's name while all of them are small; what is large is kept compressed.
"""

import base64
import gzip
from collections.abc import Mapping

import msgspec

from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import Object, Owner, labels, metadata, results_name
from penstock_jobs.document import decode
from penstock_jobs.termination_message import TerminationMessage

IMAGES = "images"
NONE: Mapping[str, str] = {}
PLAIN = 100_000  # bytes of a result above which it is compressed


def results(owner: Owner, reported: Mapping[str, TerminationMessage], images: Mapping[str, str] = NONE) -> Object:
    """Return the ConfigMap of these results, by the step's name, each whole; and of the images that pods found."""
    data = {IMAGES: msgspec.json.encode(images, order="sorted").decode()} if images else {}
    binary: dict[str, str] = {}
    for part, message in sorted(reported.items()):
        content = msgspec.json.encode(message)
        if len(content) <= PLAIN:
            data[f"{part}.json"] = content.decode()
        else:
            binary[f"{part}.json.gz"] = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    made: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(owner, results_name(owner), labels(owner)),
    }
    return made | {name: value for name, value in (("data", data), ("binaryData", binary)) if value}


def read(results: ApiObject) -> dict[str, TerminationMessage]:
    """Return the results that the ConfigMap holds, by the step's name."""
    found = {
        name.removesuffix(".json"): decode(content.encode(), TerminationMessage, f"The result {name}")
        for name, content in (results.get("data") or {}).items()
        if name != IMAGES
    }
    for name, content in (results.get("binaryData") or {}).items():
        plain = gzip.decompress(base64.b64decode(content))
        found[name.removesuffix(".json.gz")] = decode(plain, TerminationMessage, f"The result {name}")
    return found


def images(results: ApiObject) -> dict[str, str]:
    """Return the images of the run by digest, each under the reference that its first pod was given."""
    said = (results.get("data") or {}).get(IMAGES)
    return {} if said is None else msgspec.json.decode(said, type=dict[str, str])
