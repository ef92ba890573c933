"""What the README says: `helm install`, `kubectl apply` of an example as it is, wait, and ask the model.

The operator has the rights of the chart and no other, and its default storage is an S3 server.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.buckets import BUCKET, Buckets
from cluster.callers import answer_to, rows_of_breast_cancer
from cluster.custom_resources import install
from cluster.hand_made_runs import READER, WRITER, give_credentials
from cluster.kubernetes_api import PODS, KubernetesApi, Object, Resource
from cluster.laptop_runs import read_results, start_run
from cluster.releases import Release, image_values, install_release
from penstock_command import ROOT, run_penstock
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
NAME = "breast-cancer"
MANIFESTS = (ROOT / "examples" / f"{NAME}.yaml", ROOT / "examples" / f"{NAME}-run.yaml")


@pytest.fixture
def release(
    api: KubernetesApi, cluster: Cluster, namespace: str, image: Callable[[str], str], buckets: Buckets
) -> Iterator[Release]:
    install(api)
    values: Object = {"namespaces": [namespace], "crds.install": False, "aggregateRoles": False}
    for name in ("operator", "jobs", "serving"):
        values |= image_values(name, image(name))
    values["settings.storage"] = {
        "s3": {"bucket": BUCKET, "prefix": "teams", "endpoint": buckets.server.inside},
        "credentials": {"read": {"secretName": READER}, "write": {"secretName": WRITER}},
    }
    with install_release(cluster.kubeconfig, namespace, values) as made:
        yield made


@pytest.mark.timeout(1200)
def test_an_example_is_applied_as_it_is_and_its_model_answers(
    api: KubernetesApi,
    cluster: Cluster,
    namespace: str,
    release: Release,
    buckets: Buckets,
    image: Callable[[str], str],
    tmp_path: Path,
) -> None:
    kubectl = Kubectl(cluster.kubeconfig)
    give_credentials(api, namespace, buckets)
    data = f"data/{NAME}.parquet"
    buckets.upload(ROOT / "examples" / data, f"teams/{namespace}/{NAME}/{data}", BUCKET)

    kubectl("apply", "-n", namespace, *(f"--filename={each}" for each in MANIFESTS))
    kubeconfig = {"KUBECONFIG": str(cluster.kubeconfig)}
    waited = run_penstock("wait", f"plr/{NAME}-1", "-n", namespace, home=tmp_path, environment=kubeconfig, timeout=900)

    assert waited.code == 0, waited.errors
    with start_run(NAME, tmp_path) as laptop:
        theirs = [candidate_of(each.name) for each in read_results(laptop.store).training.models]
    run = api.get(RUNS, f"{NAME}-1", namespace)
    training = next(each["training"] for each in run["status"]["steps"] if each["name"] == "training")
    assert [candidate_of(name) for name in training["models"]] == theirs
    assert {each["metadata"]["name"] for each in api.objects(MODELS, namespace)} == set(training["models"])
    answer = answer_to(
        api, namespace, image("serving"), f"http://{NAME}/v1/models/{NAME}:predict", rows_of_breast_cancer()
    )
    assert len(answer["predictions"]) == len(rows_of_breast_cancer()["instances"])
    told = kubectl("get", "pl,plr,mdl", "-n", namespace)
    assert all(name in told for name in (f"pipeline.penstock.dev/{NAME}", f"{NAME}-1", *training["models"]))
    assert refusals(api, release) == []


def candidate_of(model: str) -> str:
    """Return the beginning of the candidate's hash, in which the name of its Model ends."""
    return model.rpartition("-")[2]


def refusals(api: KubernetesApi, release: Release) -> list[str]:
    """Return what the operator logged of rights that it lacks."""
    labels = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=penstock"
    [pod] = api.objects(PODS, release.namespace, labels=labels)
    lines = api.logs(pod["metadata"]["name"], release.namespace, "operator").splitlines()
    return [line for line in lines if "forbidden" in line.lower()]
