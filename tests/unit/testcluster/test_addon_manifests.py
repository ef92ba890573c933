"""What the tests change in the manifests that an addon's makers ship, and what they leave."""

from typing import Any

from testcluster.addons import manifests
from testcluster.addons.addon import NAMESPACE
from testcluster.addons.storage import objects as storage_objects

Object = dict[str, Any]
OURS = "penstock-test/one:123"


def a_deployment(**container: Any) -> Object:
    theirs = {"name": "main", "image": "example.org/theirs:latest", "imagePullPolicy": "Always", **container}
    spec = {"replicas": 1, "template": {"spec": {"serviceAccountName": "main", "containers": [theirs]}}}
    return {"kind": "Deployment", "metadata": {"name": "main"}, "spec": spec}


def container_of(manifest: Object) -> Object:
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_our_image_runs_and_is_never_pulled_where_it_is() -> None:
    [made] = manifests.with_image([a_deployment()], OURS)
    assert container_of(made) == {"name": "main", "image": OURS, "imagePullPolicy": "IfNotPresent"}


def test_what_is_not_said_stays_as_its_makers_ship_it() -> None:
    service = {"kind": "Service", "metadata": {"name": "main"}, "spec": {"ports": []}}
    deployment = a_deployment()
    made = manifests.with_image([service, deployment], OURS)
    assert made[0] == service
    assert made[1]["spec"]["template"]["spec"]["serviceAccountName"] == "main"
    assert deployment == a_deployment()


def test_arguments_come_after_those_that_are_there() -> None:
    made = manifests.with_arguments([a_deployment(args=["--theirs"])], "--ours")
    assert container_of(made[0])["args"] == ["--theirs", "--ours"]


def test_probes_ask_early_and_what_they_ask_stays() -> None:
    asked = {"httpGet": {"path": "/ready"}, "initialDelaySeconds": 20, "periodSeconds": 10}
    container = container_of(manifests.with_early_probes([a_deployment(readinessProbe=asked, livenessProbe=asked)])[0])
    assert container["readinessProbe"]["httpGet"] == asked["httpGet"]
    assert container["readinessProbe"]["initialDelaySeconds"] == 1
    assert container["livenessProbe"] == asked
    assert "startupProbe" not in container


def a_webhook(group: str) -> Object:
    return {"name": f"one.{group}", "rules": [{"apiGroups": [group], "resources": ["jobs"]}]}


def test_webhooks_on_everybodys_objects_see_only_the_namespaces_that_ask_for_it() -> None:
    webhooks = [a_webhook("batch"), a_webhook("apps"), a_webhook(""), a_webhook("kueue.x-k8s.io")]
    [made] = manifests.with_webhooks_for([{"kind": "MutatingWebhookConfiguration", "webhooks": webhooks}], "ask/for-it")
    *everybodys, own = made["webhooks"]
    selector = {"matchExpressions": [{"key": "ask/for-it", "operator": "Exists"}]}
    assert all(each["namespaceSelector"] == selector for each in everybodys)
    assert own == webhooks[-1]


def test_what_others_name_comes_first_and_what_needs_their_pods_last() -> None:
    kinds = ["APIService", "Deployment", "CustomResourceDefinition", "Service", "Namespace"]
    first, rest, last = manifests.waves([{"kind": kind} for kind in kinds])
    assert [each["kind"] for each in first] == ["CustomResourceDefinition", "Namespace"]
    assert [each["kind"] for each in rest] == ["Deployment", "Service"]
    assert [each["kind"] for each in last] == ["APIService"]


def test_a_fingerprint_is_of_the_content_and_not_of_its_order() -> None:
    assert manifests.fingerprint([{"a": 1, "b": 2}]) == manifests.fingerprint([{"b": 2, "a": 1}])
    assert manifests.fingerprint([{"a": 1}]) != manifests.fingerprint([{"a": 2}])


def test_the_s3_server_is_under_restricted_and_in_a_namespace_of_its_own() -> None:
    made = {each["kind"]: each for each in storage_objects(OURS)}
    assert made["Namespace"]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert made["Namespace"]["metadata"]["name"] != NAMESPACE
    pod = made["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["image"] == OURS
