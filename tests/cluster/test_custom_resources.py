"""The four CRDs on a real API server: applied as anybody applies them, explained, listed, and nothing of them lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.custom_resources import FOLDER, Object, definitions, exact_text, install, is_established
from cluster.kubernetes_api import CRDS, KubernetesApi
from penstock.api.definitions import KINDS, LONGEST_FOR_CLIENT_SIDE_APPLY, KindDefinition
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl


@pytest.fixture(scope="session")
def api(api: KubernetesApi) -> KubernetesApi:
    return install(api)


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster.kubeconfig)


@pytest.fixture
def stranger(api: KubernetesApi, kubectl: Kubectl, namespace: str) -> Iterator[str]:
    """The same CRDs in an API group of the test's own, that other tests cannot see; YAML that nobody applied yet."""
    group = f"{namespace}.example.com"
    files = "\n---\n".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.yaml")))
    # Nor in the category: kubectl remembers for minutes what was in it.
    yield files.replace("penstock.dev", group).replace("    categories:\n    - penstock\n", "")
    for each in definitions():
        kubectl("delete", "crd", "--ignore-not-found", "--wait=false", f"{each['spec']['names']['plural']}.{group}")


def test_plain_kubectl_apply_makes_them_and_finds_them_unchanged_the_second_time(
    api: KubernetesApi, kubectl: Kubectl, stranger: str, namespace: str
) -> None:
    assert kubectl("apply", "-f", "-", given=stranger).count(" created\n") == len(KINDS)
    for kind in KINDS:
        name = f"{kind.plural}.{namespace}.example.com"
        stored = api.wait_for(CRDS, name, None, is_established, what="an established CRD")
        annotation = stored["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
        assert len(annotation.encode()) < LONGEST_FOR_CLIENT_SIDE_APPLY
    assert kubectl("apply", "-f", "-", given=stranger).count(" unchanged\n") == len(KINDS)


def test_server_side_apply_makes_them_too(api: KubernetesApi, kubectl: Kubectl, stranger: str, namespace: str) -> None:
    kubectl("apply", "--server-side", "-f", "-", given=stranger)
    for kind in KINDS:
        api.wait_for(CRDS, f"{kind.plural}.{namespace}.example.com", None, is_established, what="an established CRD")


@pytest.mark.parametrize("sent", definitions(), ids=lambda sent: str(sent["metadata"]["name"]))
def test_the_server_stores_each_schema_as_it_was_sent(api: KubernetesApi, sent: Object) -> None:
    stored = api.get(CRDS, sent["metadata"]["name"])
    [was], [now] = sent["spec"]["versions"], stored["spec"]["versions"]
    assert exact_text(now["schema"]) == exact_text(was["schema"])
    assert exact_text(now["additionalPrinterColumns"]) == exact_text(was["additionalPrinterColumns"])


@pytest.mark.parametrize("sent", definitions(), ids=lambda sent: str(sent["metadata"]["name"]))
def test_each_schema_is_structural_and_its_names_are_taken_as_they_are(api: KubernetesApi, sent: Object) -> None:
    status = api.get(CRDS, sent["metadata"]["name"])["status"]
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions["NamesAccepted"] == "True"
    assert "NonStructuralSchema" not in conditions
    assert status["acceptedNames"]["shortNames"] == sent["spec"]["names"]["shortNames"]
    assert status["acceptedNames"]["categories"] == ["penstock"]


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each field of the schema, by its path, and its description."""
    for name, each in schema.get("properties", {}).items():
        yield f"{path}.{name}", each.get("description", "")
        yield from fields_of(each, f"{path}.{name}")
        yield from fields_of(each.get("items", {}), f"{path}.{name}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kubectl_explain_tells_every_field_of_the_spec_and_what_it_is(
    api: KubernetesApi, kubectl: Kubectl, kind: KindDefinition
) -> None:
    [sent] = [each for each in definitions() if each["spec"]["names"]["kind"] == kind.name]
    spec = sent["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    explained = json.loads(kubectl("get", "--raw", "/openapi/v3/apis/penstock.dev/v1alpha1"))
    published = explained["components"]["schemas"][f"dev.penstock.v1alpha1.{kind.name}"]["properties"]["spec"]
    assert dict(fields_of(published)) == dict(fields_of(spec))
    told = " ".join(kubectl("explain", f"{kind.plural}.spec").split())
    for name, each in spec["properties"].items():
        assert name in told
        assert " ".join(each["description"].split()) in told


def test_a_column_of_kubectl_get_shows_what_its_name_says(api: KubernetesApi, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "-n", namespace, "-f", "tests/unit/api/manifests/pipelinerun.yaml")
    succeeded = {"type": "Succeeded", "status": "Unknown", "reason": "Running", "message": "The job training runs."}
    condition = succeeded | {"lastTransitionTime": "2026-11-21T08:00:00Z"}
    run = {"conditions": [condition], "executionName": "first-try_2", "startTime": "2026-11-21T08:00:00Z"}
    api.patch(api.resource({"apiVersion": "penstock.dev/v1alpha1", "kind": "PipelineRun"}), "churn-1",
              {"status": run}, namespace, beneath="status")  # fmt: skip
    header, line = kubectl("get", "plr", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "PIPELINE", "EXECUTION", "SUCCEEDED", "REASON", "STARTED", "FINISHED", "AGE"]
    assert line.split()[:5] == ["churn-1", "churn", "first-try_2", "Unknown", "Running"]
    assert "The job training runs." in kubectl("get", "plr", "-n", namespace, "-o", "wide")


def test_the_category_lists_all_four_and_each_has_its_short_name(
    api: KubernetesApi, kubectl: Kubectl, namespace: str
) -> None:
    for name in ("pipeline", "pipelinerun", "trigger", "model"):
        kubectl("create", "-n", namespace, "-f", f"tests/unit/api/manifests/{name}.yaml")
    listed = kubectl("get", "penstock", "-n", namespace, "-o", "name").split()
    assert {each.partition(".")[0] for each in listed} == {"pipeline", "pipelinerun", "trigger", "model"}
    for kind in KINDS:
        [found] = kubectl("get", kind.short_name, "-n", namespace, "-o", "name").split()
        assert found.startswith(kind.name.lower())
