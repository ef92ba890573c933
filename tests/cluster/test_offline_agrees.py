"""`penstock validate` and the API server agree: what one accepts the other accepts, and both fill in the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cluster.custom_resources import MANIFESTS, Object, dry_run, exact_text, install, sentences, spec_to_expect
from cluster.kubernetes_api import ApiRefused, KubernetesApi
from cluster.mutations import mutants
from penstock.api.definitions import KINDS, object_schema
from penstock.api.manifests import read_manifests
from penstock.api.validation import refusals

FILES = ["pipeline", "pipeline-shortest", "pipeline-serving", "pipelinerun", "trigger", "trigger-shortest", "model"]


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


def good(name: str) -> dict[str, Any]:
    [manifest] = read_manifests((MANIFESTS / f"{name}.yaml").read_text("utf-8"))
    value: dict[str, Any] = manifest.value
    return value


def answer(api: KubernetesApi, manifest: Object) -> tuple[list[str], Object]:
    """Return what the server refuses it for, or the object that it would store."""
    try:
        return [], dry_run(api, manifest, "default")
    except ApiRefused as refused:
        return sentences(refused), {}


@pytest.mark.parametrize("name", FILES)
def test_what_one_refuses_the_other_refuses(api: KubernetesApi, name: str) -> None:
    agree_on(api, name, examples=120, derandomize=True)


@pytest.mark.soak
@pytest.mark.parametrize("name", FILES)
def test_what_one_refuses_the_other_refuses_whatever_is_wrong(api: KubernetesApi, name: str) -> None:
    """Other manifests each time, and many more of them."""
    agree_on(api, name, examples=3000, derandomize=False)


def agree_on(api: KubernetesApi, name: str, examples: int, *, derandomize: bool) -> None:
    """Compare what `penstock validate` and the server say of that many mutations of a good manifest."""
    manifest = good(name)
    [kind] = [each for each in KINDS if each.name == manifest["kind"]]

    @settings(max_examples=examples, deadline=None, derandomize=derandomize, suppress_health_check=list(HealthCheck))
    @given(mutants(manifest, object_schema(kind)))
    def agree(changed: dict[str, Any]) -> None:
        ours = [f"{fault.field}: {fault.sentence}" for fault in refusals(changed)]
        theirs, stored = answer(api, changed)
        assert bool(ours) == bool(theirs), (ours, theirs, changed["spec"])
        assert ours or exact_text(stored["spec"]) == exact_text(spec_to_expect(changed))

    agree()


NAMES = [
    "", "a", "a-", "-a", "A", "a.b", "a..b", "a.", "a_", "9a", "a b", "é", "a/b", "A/b", "a/", "/a", "a/b/c", "x" * 52,
    "x" * 53, "x" * 63, "x" * 64, "x" * 254, "x" * 63 + "/a", "x" * 254 + "/a", "example.com/" + "x" * 63, "churn\n",
]  # fmt: skip


@pytest.mark.parametrize("name", ["pipeline-shortest", "pipelinerun"])
@pytest.mark.parametrize(
    "metadata",
    [
        lambda text: {"name": text},
        lambda text: {"generateName": text},
        lambda text: {"name": "a", "generateName": text},
        lambda text: {"name": "a", "labels": {text: "b"}},
        lambda text: {"name": "a", "labels": {"b": text}},
        lambda text: {"name": "a", "annotations": {text: "b"}},
        lambda text: {"name": "a", "finalizers": [text]},
    ],
)
def test_names_labels_and_annotations_are_held_to_the_same_rules(
    api: KubernetesApi, name: str, metadata: Callable[[str], Object]
) -> None:
    for text in NAMES:
        changed = good(name) | {"metadata": metadata(text)}
        theirs, _ = answer(api, changed)
        assert bool(refusals(changed)) == bool(theirs), (changed["metadata"], theirs)
