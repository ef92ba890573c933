"""The admission policies of the chart at work in a namespace, and people with few rights who ask for something."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any

from chart.helm_program import render_chart
from cluster.custom_resources import install
from cluster.kubernetes_api import DEADLINE, ApiRefused, KubernetesApi, Object, Resource
from cluster.namespaces import Namespaces
from manifest_changes import set_field

POLICIES = Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicies", namespaced=False)
BINDINGS = Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", namespaced=False)
KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
RBAC = "rbac.authorization.k8s.io"


@contextmanager
def policies_of_chart(
    api: KubernetesApi, namespaces: Namespaces, test: str, rules_of: dict[str, list[Object]], **values: Any
) -> Iterator[str]:
    """Make a namespace under the policies of the chart, installed with these values, in which users have these rules.

    The API server reads policies and roles a moment after they are made: `refuse_at_last` waits for that.
    """
    install(api)
    with namespaces.one(f"{test}::policies") as name:
        objects = _renamed(render_chart(namespaces=[name], **values).all(*KINDS), name)
        for each in [*objects, *(made for user, rules in rules_of.items() for made in roles(user, rules, name))]:
            api.create(each, name)
        yield name
        for each in objects:
            api.delete(POLICIES if each["kind"] == KINDS[0] else BINDINGS, each["metadata"]["name"])


def roles(user: str, rules: list[Object], namespace: str) -> Iterator[Object]:
    """Yield what gives a user these rules in the namespace."""
    metadata = {"name": user, "namespace": namespace}
    yield {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    yield {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": user},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


def rule(group: str, resources: Sequence[str], verbs: Sequence[str], *names: str) -> Object:
    """Return a rule of a role, for all objects or for these."""
    named = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs), **named}


def refuse_at_last(api: KubernetesApi, manifest: Object, namespace: str) -> None:
    """Wait until the API server goes by the policies, so that this is refused."""
    deadline = time.monotonic() + DEADLINE
    while said(api, manifest, namespace) is None:
        assert time.monotonic() < deadline, "the API server does not go by the policies"
        time.sleep(0.2)


def by(api: KubernetesApi, user: str) -> KubernetesApi:
    """Return the API as that user asks it."""
    return replace(api, headers={**api.headers, "Impersonate-User": user})


def said(api: KubernetesApi, manifest: Object, namespace: str) -> str | None:
    """Return what is said against the manifest, or None where it would be stored."""
    plural = api.resource(manifest).plural
    path = f"/apis/penstock.dev/v1alpha1/namespaces/{namespace}/{plural}"
    try:
        api.json("POST", path, manifest, {"dryRun": "All"})
    except ApiRefused as refused:
        return str(refused)
    return None


def changed(manifest: Object, path: str, value: Any) -> Object:
    """Return the manifest with a field of its spec set."""
    made = deepcopy(manifest)
    set_field(made["spec"], path.split("."), value)
    return made


def secret(name: str) -> Object:
    """Return how a manifest names a Secret."""
    return {"secretName": name}


def _renamed(objects: list[Object], name: str) -> list[Object]:
    """Return the policies under names of this test's own: they are not in a namespace."""
    objects = deepcopy(objects)
    for each in objects:
        each["metadata"]["name"] += f"-{name}"
        if "policyName" in each["spec"]:
            each["spec"]["policyName"] += f"-{name}"
    return objects
