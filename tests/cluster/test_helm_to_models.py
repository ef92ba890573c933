"""What a user does: `helm install`, `kubectl apply`, and wait; with the rights of the chart and no other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from cluster.buckets import Buckets
from cluster.custom_resources import install
from cluster.hand_made_runs import give_credentials, on_the_cluster
from cluster.kubernetes_api import PODS, Api, Object, Resource
from cluster.laptop_runs import begun, found
from cluster.releases import Release, image_values, released
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


@pytest.fixture
def release(api: Api, cluster: Cluster, namespace: str, image: Callable[[str], str]) -> Iterator[Release]:
    install(api)
    values = {"namespaces": [namespace], "crds.install": False, "aggregateRoles": False}
    values |= image_values("operator", image("operator")) | image_values("jobs", image("jobs"))
    with released(cluster.kubeconfig, namespace, values) as made:
        yield made


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
