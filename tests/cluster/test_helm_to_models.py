"""What the README says: `helm install`, `kubectl apply` of an example as it is, wait, and ask the model.

What is copied, applied, waited for, listed and asked is in README's own words, in the namespace of the test. The
operator has the rights of the chart and no other, and its default storage is the S3 server of the tests.
"""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cluster.buckets import BUCKET, Buckets
from cluster.callers import answer_to, rows_of_breast_cancer
from cluster.custom_resources import install
from cluster.hand_made_runs import READER, WRITER, give_credentials
from cluster.kubernetes_api import PODS, KubernetesApi, Object, Resource
from cluster.laptop_runs import read_results, start_run
from cluster.releases import Release, image_values, install_release
from page_blocks import blocks_of
from penstock_command import ROOT, run_penstock
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
NAME = "breast-cancer"


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
    kubectl, shown = Kubectl(cluster.kubeconfig), commands_of_readme()
    give_credentials(api, namespace, buckets)
    _, _, source, target = shown["aws"]
    buckets.upload(ROOT / source, key_in_the_storage(target, namespace, Path(source).name), BUCKET)

    kubectl(*from_root(shown["kubectl apply"]), "-n", namespace)
    kubeconfig = {"KUBECONFIG": str(cluster.kubeconfig)}
    waited = run_penstock(*shown["penstock"], "-n", namespace, home=tmp_path, environment=kubeconfig, timeout=900)

    assert waited.code == 0, waited.errors
    with start_run(NAME, tmp_path) as laptop:
        theirs = [candidate_of(each.name) for each in read_results(laptop.store).training.models]
    run = api.get(RUNS, f"{NAME}-1", namespace)
    training = next(each["training"] for each in run["status"]["steps"] if each["name"] == "training")
    assert [candidate_of(name) for name in training["models"]] == theirs
    assert {each["metadata"]["name"] for each in api.objects(MODELS, namespace)} == set(training["models"])
    [address] = shown["curl"]
    answer = answer_to(api, namespace, image("serving"), f"{address}:predict", rows_of_breast_cancer())
    assert len(answer["predictions"]) == len(rows_of_breast_cancer()["instances"])
    told = kubectl(*shown["kubectl get"], "-n", namespace)
    assert all(name in told for name in (f"pipeline.penstock.dev/{NAME}", f"{NAME}-1", *training["models"]))
    assert refusals(api, release) == []


def commands_of_readme() -> dict[str, list[str]]:
    """Return the words of README's commands for a cluster, without the program; those of kubectl by what they do."""
    [block] = (each for each in blocks_of(ROOT / "README.md") if (each.language, each.kind) == ("sh", "cluster"))
    commands = [shlex.split(each, comments=True) for each in block.commands()]
    return {" ".join(words[:2] if words[0] == "kubectl" else words[:1]): words[1:] for words in commands}


def key_in_the_storage(target: str, namespace: str, name: str) -> str:
    """Return where README copies a file to, in this namespace and beneath the prefix of the test's storage."""
    there, _, within = urlsplit(target).path.removeprefix("/").partition("/")
    assert there == "default"  # the namespace in which README applies
    return f"teams/{namespace}/{within}{name}"


def from_root(words: list[str]) -> list[str]:
    """Return the words of a command with the files of the repository by their whole paths."""
    return [str(ROOT / word) if (ROOT / word).is_file() else word for word in words]


def candidate_of(model: str) -> str:
    """Return the beginning of the candidate's hash, in which the name of its Model ends."""
    return model.rpartition("-")[2]


def refusals(api: KubernetesApi, release: Release) -> list[str]:
    """Return what the operator logged of rights that it lacks."""
    labels = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=penstock"
    [pod] = api.objects(PODS, release.namespace, labels=labels)
    lines = api.logs(pod["metadata"]["name"], release.namespace, "operator").splitlines()
    return [line for line in lines if "forbidden" in line.lower()]
