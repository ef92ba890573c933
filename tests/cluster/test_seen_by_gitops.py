"""What GitOps tools make of an object that was just applied, before any operator has seen it."""

from typing import Any

import pytest

from chart.gitops_tools import health_of
from cluster.custom_resources import install
from cluster.kubernetes_api import Api, Resource

V1 = "penstock.dev/v1alpha1"
SPECS: dict[str, Any] = {
    "Pipeline": {"deployment": {"model": "forest"}},
    "PipelineRun": {"pipelineRef": {"name": "churn"}},
}


@pytest.mark.parametrize("kind", SPECS)
def test_what_was_just_applied_is_not_taken_for_done(api: Api, namespace: str, kind: str) -> None:
    install(api)
    made = {"apiVersion": V1, "kind": kind, "metadata": {"name": "churn"}, "spec": SPECS[kind]}
    api.create(made, namespace)

    there = api.get(Resource(V1, f"{kind.lower()}s"), "churn", namespace)

    [health] = health_of(there)
    assert (health.argocd, health.flux) == ("Progressing", "InProgress")
