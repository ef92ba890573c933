"""Penstock's resources on an API server: its CRDs, good manifests from everywhere, and what is said of bad ones."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cluster.kubernetes_api import CRDS, ApiRefused, KubernetesApi
from penstock.api.definitions import KINDS, object_schema
from penstock.api.manifests import read_manifests
from penstock.api.schema import API_VERSION
from penstock.api.structure import with_defaults

Object = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "crds"
MANIFESTS = REPOSITORY / "tests" / "unit" / "api" / "manifests"

_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def definitions() -> list[Object]:
    """Return the four CustomResourceDefinitions, as the files have them."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]


def install(api: KubernetesApi) -> KubernetesApi:
    """Give the API server our CRDs, and return it when it serves them."""
    for each in definitions():
        api.apply(each)
        api.wait_for(CRDS, each["metadata"]["name"], None, is_established, what="an established CRD")
    return api


def is_established(definition: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in definition.get("status", {}).get("conditions") or ()}
    return conditions.get("Established") == "True"


def good_texts() -> dict[str, str]:
    """Return every complete manifest of the examples, of the documentation and of the tests, by where it is."""
    files = [*(REPOSITORY / "examples").rglob("*.yaml"), *MANIFESTS.glob("*.yaml")]
    texts = {str(path.relative_to(REPOSITORY)): path.read_text("utf-8") for path in files}
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "examples").rglob("*.md")]
    for page in pages:
        for count, block in enumerate(_BLOCK.findall(page.read_text("utf-8")), 1):
            texts[f"{page.relative_to(REPOSITORY)}, block {count}"] = block
    return {place: text for place, text in texts.items() if f"apiVersion: {API_VERSION}\n" in text}


def good_manifests() -> Iterator[tuple[str, Object]]:
    """Yield each document of the good manifests, and where it is."""
    for place, text in sorted(good_texts().items()):
        for count, manifest in enumerate(read_manifests(text), 1):
            if manifest.value.get("apiVersion") == API_VERSION:
                yield f"{place}, {manifest.value['kind']} {count}", manifest.value


def spec_to_expect(manifest: Object) -> Object:
    """Return the spec that the API server should store: what was said, and the defaults for what was not."""
    [kind] = [each for each in KINDS if each.name == manifest["kind"]]
    full: Object = with_defaults(manifest, object_schema(kind))["spec"]
    return full


def exact_text(value: Any) -> str:
    """Return the value as text that tells apart what Python holds equal: 1, 1.0 and true."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def dry_run(api: KubernetesApi, manifest: Object, namespace: str) -> Object:
    """Return the object as the server would store it; it stores nothing.

    Raises:
        ApiRefused: it would not.
    """
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/{api.resource(manifest).plural}"
    return api.json("POST", path, manifest, {"dryRun": "All", "fieldValidation": "Strict"})


def sentences(refused: ApiRefused) -> list[str]:
    """Return what the server said, a sentence for each field, as kubectl prints them, in alphabetical order.

    What it adds of rules that it did not look at, since the structure is wrong already, is left out.
    """
    causes = refused.status.get("details", {}).get("causes", ())
    said = [f"{each['field']}: {each['message']}" for each in causes if "rules were not checked" not in each["message"]]
    return sorted(said) or [str(refused)]
