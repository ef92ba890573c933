"""What has been is not changed: a Model at all, a run but for suspend and cancel; who was cancelled stays cancelled."""

from typing import Any

import pytest

from cluster.custom_resources import MANIFESTS, Object, install, sentences
from cluster.kubernetes_api import ApiRefused, KubernetesApi
from penstock.api.manifests import read_manifests


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


def made(api: KubernetesApi, name: str, namespace: str) -> Object:
    [manifest] = read_manifests((MANIFESTS / f"{name}.yaml").read_text("utf-8"))
    return api.create(manifest.value, namespace)


def changed(api: KubernetesApi, there: Object, change: dict[str, Any], namespace: str) -> Object:
    return api.patch(api.resource(there), there["metadata"]["name"], {"spec": change}, namespace)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("digest", "sha256:" + "0" * 64),
        ("uri", "s3://elsewhere/model"),
        ("displayName", None),
        ("region", "west"),
        ("task", "Regression"),
        ("features", []),
        ("origin", {"candidate": "another"}),
        ("lineage", {"salt": "another"}),
        ("validationScores", None),
    ],
)
def test_a_field_of_a_model_is_neither_changed_nor_added_nor_removed(
    api: KubernetesApi, namespace: str, field: str, value: Any
) -> None:
    model = made(api, "model", namespace)
    with pytest.raises(ApiRefused) as refused:
        changed(api, model, {field: value}, namespace)
    assert sentences(refused.value) == [
        f'spec.{field}: Invalid value: "object": A Model is what it was when it was saved; only deletionPolicy changes.'
    ]


def test_what_becomes_of_the_files_of_a_model_can_be_changed(api: KubernetesApi, namespace: str) -> None:
    model = made(api, "model", namespace)
    assert changed(api, model, {"deletionPolicy": "Delete"}, namespace)["spec"]["deletionPolicy"] == "Delete"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pipelineRef", {"name": "another"}),
        ("executionName", None),
        ("jobs", [{"name": "dataset"}]),
        ("storage", {"pvc": {"claimName": "data"}}),
    ],
)
def test_a_run_stays_what_was_applied(api: KubernetesApi, namespace: str, field: str, value: Any) -> None:
    run = made(api, "pipelinerun", namespace)
    with pytest.raises(ApiRefused) as refused:
        changed(api, run, {field: value}, namespace)
    [sentence] = sentences(refused.value)
    assert sentence.startswith(f"spec.{field}: ")


def test_a_run_is_suspended_and_goes_on(api: KubernetesApi, namespace: str) -> None:
    run = made(api, "pipelinerun", namespace)
    for value in (True, False):
        assert changed(api, run, {"suspend": value}, namespace)["spec"]["suspend"] is value


def test_a_run_that_was_cancelled_stays_cancelled(api: KubernetesApi, namespace: str) -> None:
    run = made(api, "pipelinerun", namespace)
    changed(api, run, {"cancel": True}, namespace)
    for value in (False, None):
        with pytest.raises(ApiRefused) as refused:
            changed(api, run, {"cancel": value}, namespace)
        [sentence] = sentences(refused.value)
        assert sentence.startswith("spec.cancel: ")
