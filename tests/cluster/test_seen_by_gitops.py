"""What GitOps tools make of an object that was just applied, before any operator has seen it."""

from typing import Any

import pytest

from chart.gitops_tools import FRAGMENT, health_of
from cluster.custom_resources import install
from cluster.kubernetes_api import CONFIG_MAPS, KubernetesApi, Resource
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

V1 = "penstock.dev/v1alpha1"
SPECS: dict[str, Any] = {
    "Pipeline": {"deployment": {"model": "forest"}},
    "PipelineRun": {"pipelineRef": {"name": "churn"}},
}


@pytest.mark.parametrize("kind", SPECS)
def test_what_was_just_applied_is_not_taken_for_done(api: KubernetesApi, namespace: str, kind: str) -> None:
    install(api)
    made = {"apiVersion": V1, "kind": kind, "metadata": {"name": "churn"}, "spec": SPECS[kind]}
    api.create(made, namespace)

    there = api.get(Resource(V1, f"{kind.lower()}s"), "churn", namespace)

    [health] = health_of(there)
    assert (health.argocd, health.flux) == ("Progressing", "InProgress")


def test_the_check_is_merged_into_argo_cds_own_settings(api: KubernetesApi, cluster: Cluster, namespace: str) -> None:
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "https://argo"}}
    api.create(own, namespace)

    Kubectl(cluster.kubeconfig)(
        "patch", "configmap", "argocd-cm", "--namespace", namespace, "--patch-file", str(FRAGMENT)
    )

    merged = api.get(CONFIG_MAPS, "argocd-cm", namespace)["data"]
    kinds = [name.rpartition("_")[2] for name in merged if name != "url"]
    assert sorted(kinds) == ["Model", "Pipeline", "PipelineRun", "Trigger"]
    assert len({each for name, each in merged.items() if name != "url"}) == 1
    assert merged["url"] == "https://argo"
