"""`helm install`: the operator of its image, with the rights that the chart gives it, in a restricted namespace."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chart.helm_program import CHART
from cluster.custom_resources import install
from cluster.event_receivers import KEY, signature_of, triggers
from cluster.kubernetes_api import DEPLOYMENTS, PODS, KubernetesApi, Object, Resource
from cluster.namespaces import Namespaces
from cluster.releases import Release, image_values, install_release
from testcluster.cluster import Cluster

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
LEASES = Resource("coordination.k8s.io/v1", "leases")
KEYS = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys"},
    "data": {"git": b64encode(KEY).decode()},
}
RECEIVER = {"receiver.enabled": True, "receiver.tls.enabled": False, "receiver.keys.secretName": "keys"}


@pytest.fixture(scope="module")
def release(
    api: KubernetesApi,
    cluster: Cluster,
    namespaces: Namespaces,
    image: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> Iterator[Release]:
    """The chart, installed for a namespace of its own with two replicas; the CRDs are there for all tests."""
    install(api)
    with namespaces.one(f"{request.node.nodeid}::installed") as namespace:
        api.create(KEYS, namespace)
        values = RECEIVER | {"namespaces": [namespace], "crds.install": False, "aggregateRoles": False, "replicas": 2}
        with install_release(
            cluster.kubeconfig, namespace, values | image_values("operator", image("operator"))
        ) as made:
            yield made


def test_the_operator_is_ready_with_the_rights_that_it_was_given(api: KubernetesApi, release: Release) -> None:
    deployment = api.get(DEPLOYMENTS, release.name, release.namespace)

    assert deployment["status"]["readyReplicas"] == 2


def test_helm_test_says_that_it_is_well(release: Release) -> None:
    assert "Phase:          Succeeded" in release.helm("test", release.name)


def test_installing_it_again_changes_nothing_that_runs(api: KubernetesApi, release: Release) -> None:
    before = uids(api, release)
    release.helm("upgrade", release.name, str(CHART), "--reuse-values", "--wait", "--timeout", "120s")

    assert before == uids(api, release)


def uids(api: KubernetesApi, release: Release) -> set[str]:
    """Return the uids of the operator's pods."""
    return {each["metadata"]["uid"] for each in operators(api, release)}


def operators(api: KubernetesApi, release: Release) -> list[Object]:
    """Return the operator's pods; that of `helm test` has another label."""
    labels = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=penstock"
    return api.objects(PODS, release.namespace, labels=labels)


def test_when_the_pod_that_works_goes_the_one_that_stands_by_takes_over(api: KubernetesApi, release: Release) -> None:
    first = leader(api, release)
    api.delete(PODS, first, release.namespace)

    second = leader(api, release, other_than=first)
    run = {"name": "early", "namespace": release.namespace}
    spec = {"pipelineRef": {"name": "none"}}
    api.create({"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": run, "spec": spec})
    api.wait_for(RUNS, "early", release.namespace, _was_looked_at, what="a run that was looked at")

    assert second in {each["metadata"]["name"] for each in operators(api, release)}


def _was_looked_at(run: Object) -> bool:
    return bool((run.get("status") or {}).get("conditions"))


def leader(api: KubernetesApi, release: Release, other_than: str = "") -> str:
    """Return the pod that holds the Lease, once there is one."""

    def held(lease: Object) -> bool:
        return lease["spec"].get("holderIdentity") not in (None, "", other_than)

    lease = api.wait_for(LEASES, release.name, release.namespace, held, what="a holder of the Lease")
    return str(lease["spec"]["holderIdentity"])


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("create", "pods/exec"), ("impersonate", "users")],
)
def test_it_has_no_right_that_it_does_not_need(api: KubernetesApi, release: Release, verb: str, resource: str) -> None:
    assert not allowed(api, release, release.namespace, verb, resource)


def test_a_signed_event_that_its_receiver_takes_is_a_run(api: KubernetesApi, release: Release) -> None:
    for trigger in triggers():
        api.create(trigger, release.namespace)
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    sender = replace(api, headers=api.headers | {"X-Hub-Signature-256": signature_of(body), "X-GitHub-Event": "push"})
    service = f"/api/v1/namespaces/{release.namespace}/services/{release.name}-receiver:events/proxy"

    sender.request("POST", f"{service}/v1/triggers/{release.namespace}/pushed", body)

    [run] = [each for each in api.objects(RUNS, release.namespace) if "trigger" in each["spec"]]
    assert run["spec"]["trigger"]["event"]["type"] == "push"


def test_it_has_no_right_in_another_namespace(api: KubernetesApi, release: Release) -> None:
    assert allowed(api, release, release.namespace, "list", "configmaps")
    assert not allowed(api, release, "default", "list", "configmaps")


def allowed(api: KubernetesApi, release: Release, namespace: str, verb: str, resource: str) -> bool:
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
