"""`helm install`: the operator of its image, with the rights that the chart gives it, in a restricted namespace."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chart.helm_program import CHART
from cluster.custom_resources import install
from cluster.kubernetes_api import DEPLOYMENTS, PODS, Api
from cluster.namespaces import Namespaces
from testcluster.cluster import Cluster
from testcluster.programs import build


@dataclass(frozen=True)
class Release:
    """An installed chart, by its name, which is also that of what it made."""

    kubeconfig: Path
    name: str
    namespace: str

    def helm(self, *words: str) -> str:
        program = build("helm") / "helm"
        command = [str(program), *words, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def release(
    api: Api,
    cluster: Cluster,
    namespaces: Namespaces,
    image: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> Iterator[Release]:
    """The chart, installed for a namespace of its own; the CRDs are there for all tests."""
    install(api)
    name, _, tag = image("operator").rpartition(":")
    with namespaces.one(f"{request.node.nodeid}::installed") as namespace:
        made = Release(cluster.kubeconfig, f"penstock-{namespace.rpartition('-')[2]}", namespace)
        values = {
            "namespaces": [namespace],
            "crds.install": False,
            "aggregateRoles": False,
            "images.operator.name": name,
            "images.operator.tag": tag,
        }
        settings = [word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")]
        made.helm("install", made.name, str(CHART), *settings, "--wait", "--timeout", "120s")
        yield made
        made.helm("uninstall", made.name, "--wait")


def test_the_operator_is_ready_with_the_rights_that_it_was_given(api: Api, release: Release) -> None:
    deployment = api.get(DEPLOYMENTS, release.name, release.namespace)

    assert deployment["status"]["readyReplicas"] == 1


def test_helm_test_says_that_it_is_well(release: Release) -> None:
    assert "Phase:          Succeeded" in release.helm("test", release.name)


def test_installing_it_again_changes_nothing_that_runs(api: Api, release: Release) -> None:
    def pods() -> set[str]:
        found = api.objects(PODS, release.namespace, labels=f"app.kubernetes.io/instance={release.name}")
        return {each["metadata"]["uid"] for each in found if "app.kubernetes.io/name" in each["metadata"]["labels"]}

    before = pods()
    release.helm("upgrade", release.name, str(CHART), "--reuse-values", "--wait", "--timeout", "120s")

    assert before == pods()


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("create", "pods/exec"), ("impersonate", "users")],
)
def test_it_has_no_right_that_it_does_not_need(api: Api, release: Release, verb: str, resource: str) -> None:
    assert not allowed(api, release, release.namespace, verb, resource)


def test_it_has_no_right_in_another_namespace(api: Api, release: Release) -> None:
    assert allowed(api, release, release.namespace, "list", "configmaps")
    assert not allowed(api, release, "default", "list", "configmaps")


def allowed(api: Api, release: Release, namespace: str, verb: str, resource: str) -> bool:
    """Return whether the operator's service account may do that, as the API server decides it."""
    plural, _, beneath = resource.partition("/")
    asked: dict[str, Any] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{release.namespace}:{release.name}",
            "resourceAttributes": {"namespace": namespace, "verb": verb, "resource": plural, "subresource": beneath},
        },
    }
    answer = api.json("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", asked)
    found: bool = answer["status"]["allowed"]
    return found
