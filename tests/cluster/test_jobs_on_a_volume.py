"""Storage on a volume: the jobs share a claim, and a job that only reads from it cannot write there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cluster.buckets import Buckets
from cluster.hand_made_runs import ContainerEnd, HandMadeRun, give_credentials, pipeline_on_cluster
from cluster.kubernetes_api import KubernetesApi, Object
from cluster.laptop_runs import read_results, start_run
from cluster.namespaces import Namespaces
from penstock.decide.settings import Images
from penstock_jobs.contract import result as results
from penstock_jobs.contract.result import DatasetResult, TrainingResult
from testcluster.what_was_shown import Lacks

EXAMPLE = "breast-cancer"
CLAIM: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


@dataclass(frozen=True)
class Done:
    run: HandMadeRun
    dataset: DatasetResult
    training: TrainingResult
    testing: results.TestingResult
    ended: ContainerEnd


@pytest.fixture(scope="module")
def done(
    api: KubernetesApi,
    namespaces: Namespaces,
    buckets: Buckets,
    image: Callable[[str], str],
    lacking: Lacks,
    request: pytest.FixtureRequest,
) -> Iterator[Done]:
    if reason := lacking("storage-class"):
        pytest.skip(reason)
    with namespaces.one(f"{request.node.nodeid}::volume") as namespace:
        give_credentials(api, namespace, buckets)
        api.create(CLAIM, namespace)
        storage = {"pvc": {"claimName": "models", "path": "team/churn"}}
        pipeline = pipeline_on_cluster(EXAMPLE, namespace, buckets, storage=storage, training__keep=1)
        run = HandMadeRun(api, namespace, pipeline, Images(jobs=image("jobs")), buckets)
        made = run.do("dataset", run.for_dataset()).message.result
        assert isinstance(made, DatasetResult)
        ended = run.do("training", run.for_training(made))
        trained = ended.message.result
        assert isinstance(trained, TrainingResult)
        tested = run.do("testing", run.for_testing(made, trained)).message.result
        assert isinstance(tested, results.TestingResult)
        yield Done(run, made, trained, tested, ended)


def test_what_is_on_the_volume_is_what_would_be_in_a_bucket(
    done: Done, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with start_run(EXAMPLE, tmp_path_factory.mktemp("home")) as laptop:
        theirs = read_results(laptop.store).dataset

    assert done.dataset.testing.digest == theirs.testing.digest
    assert done.dataset.training.digest == theirs.training.digest


def test_addresses_are_the_same_in_every_job(done: Done) -> None:
    assert done.dataset.testing.uri.startswith("file:///volumes/models/team/churn/datasets/testing/")
    assert done.training.models[0].uri.startswith("file:///volumes/models/team/churn/models/")
    assert done.testing.models[0].model == done.training.models[0].name


def test_a_job_has_no_secret_of_a_storage_that_it_does_not_use(done: Done) -> None:
    volumes = done.ended.pod["spec"]["volumes"]

    assert [each for each in volumes if "secret" in each] == []
    assert [each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each] == [
        "models"
    ]
