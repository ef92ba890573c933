"""The ConfigMap with the whole results of a run's steps, so that a pod, and its log, may go.

A result is plain JSON under the step's name while all of them are small; what is large is kept compressed.
"""

import base64
import gzip
from collections.abc import Mapping

import msgspec

from penstock.api.schema import GROUP
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import Object, Owner, labels, metadata, results_name
from penstock_jobs.contract.document import Form, decode
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.termination_message import TerminationMessage

RESULTS = Form("results", 1, since="0.1.0")
FORMAT = f"{GROUP}/format"  # an annotation: the form of the ConfigMap as a whole; each result has its own
IMAGES = "images"
NONE: Mapping[str, str] = {}
PLAIN = 100_000  # bytes of a result above which it is compressed


def results(
    owner: Owner,
    reported: Mapping[str, TerminationMessage],
    images: Mapping[str, str] = NONE,
    there: ApiObject | None = None,
) -> Object:
    """Return the ConfigMap of these results, by the step's name, each whole; and of the images that pods found.

    What is `there` already stays as it was written, with what a newer version has in it.
    """
    before = there or {}
    data, binary = (dict(before.get(name) or {}) for name in ("data", "binaryData"))
    if images:
        data[IMAGES] = msgspec.json.encode(images, order="sorted").decode()
    known = parts(before)
    for part, message in sorted(reported.items()):
        if part in known:
            continue
        content = msgspec.json.encode(message)
        if len(content) <= PLAIN:
            data[f"{part}.json"] = content.decode()
        else:
            binary[f"{part}.json.gz"] = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    return results_without_data(owner) | {
        name: value for name, value in (("data", data), ("binaryData", binary)) if value
    }


def results_without_data(owner: Owner) -> Object:
    """Return by what the ConfigMap of the results is found and known."""
    named = metadata(owner, results_name(owner), labels(owner)) | {"annotations": {FORMAT: RESULTS.name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named}


def parts(results: ApiObject) -> frozenset[str]:
    """Return the names of the steps whose results the ConfigMap holds, whether or not they can be read."""
    names = (*(results.get("data") or ()), *(results.get("binaryData") or ()))
    return frozenset(name.partition(".json")[0] for name in names if name != IMAGES)


def read(results: ApiObject) -> dict[str, TerminationMessage]:
    """Return the results that the ConfigMap holds, by the step's name.

    Raises:
        Refused: one of them cannot be read.
    """
    annotations = results["metadata"].get("annotations") or {}
    said = annotations.get(FORMAT, RESULTS.name)
    if said != RESULTS.name:
        raise Refused(f"The ConfigMap {results['metadata']['name']} cannot be read: {RESULTS.refusal(said)}.")
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
    return {} if said is None else decode(said, dict[str, str], "The images of the run")
