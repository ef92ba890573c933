"""What a user does: `helm install`, `kubectl apply`, and wait; with the rights of the chart and no other."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from chart.helm_program import CHART
from cluster.buckets import Buckets
from cluster.custom_resources import install
from cluster.hand_made_runs import give_credentials, on_the_cluster
from cluster.kubernetes_api import PODS, Api, Object, Resource
from cluster.laptop_runs import begun, found
from cluster.test_chart_installed import Release
from testcluster.cluster import Cluster

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
RUN: Object = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "PipelineRun",
    "metadata": {"name": "breast-cancer-1"},
    "spec": {
        "pipelineRef": {"name": "breast-cancer"},
        "jobs": [{"name": "dataset"}, {"name": "training", "parallelism": 2}, {"name": "testing"}],
    },
}


def image_values(name: str, reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {f"images.{name}.name": repository, f"images.{name}.tag": tag}


@pytest.fixture
def release(api: Api, cluster: Cluster, namespace: str, image: Callable[[str], str]) -> Iterator[Release]:
    install(api)
    made = Release(cluster.kubeconfig, f"penstock-{namespace.rpartition('-')[2]}", namespace)
    values = {"namespaces": [namespace], "crds.install": False, "aggregateRoles": False}
    values |= image_values("operator", image("operator")) | image_values("jobs", image("jobs"))
    settings = [word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")]
    try:
        made.helm("install", made.name, str(CHART), *settings, "--wait", "--timeout", "120s")
        yield made
    finally:  # its policies are in no namespace, and would outlive this one
        made.helm("uninstall", made.name, "--ignore-not-found")


def test_a_run_comes_to_the_models_of_a_laptop(
    api: Api, namespace: str, release: Release, buckets: Buckets, tmp_path: Path
) -> None:
    give_credentials(api, namespace, buckets)
    pipeline = on_the_cluster("breast-cancer", namespace, buckets)
    manifest = msgspec.json.decode(msgspec.json.encode(pipeline)) | {"metadata": {"name": "breast-cancer"}}
    api.create(manifest, namespace)
    api.create(RUN, namespace)

    run = api.wait_for(RUNS, "breast-cancer-1", namespace, ended, what="an end of the run", seconds=400)

    assert ended(run) == {"Succeeded": "True"}, run["status"]
    with begun("breast-cancer", tmp_path) as laptop:
        theirs = [candidate_of(each.name) for each in found(laptop.store).training.models]
    training = next(each["training"] for each in run["status"]["steps"] if each["name"] == "training")
    assert [candidate_of(name) for name in training["models"]] == theirs
    assert {each["metadata"]["name"] for each in api.objects(MODELS, namespace)} == set(training["models"])
    assert refusals(api, release) == []


def candidate_of(model: str) -> str:
    """Return the beginning of the candidate's hash, in which the name of its Model ends."""
    return model.rpartition("-")[2]


def ended(run: Object) -> Object | None:
    """Return the conditions of the run once it has succeeded or failed."""
    conditions = {each["type"]: each["status"] for each in run.get("status", {}).get("conditions", [])}
    return conditions if conditions.get("Succeeded") in ("True", "False") else None


def refusals(api: Api, release: Release) -> list[str]:
    """Return what the operator logged of rights that it lacks."""
    labels = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=penstock"
    [pod] = api.objects(PODS, release.namespace, labels=labels)
    lines = api.logs(pod["metadata"]["name"], release.namespace, "operator").splitlines()
    return [line for line in lines if "forbidden" in line.lower()]
