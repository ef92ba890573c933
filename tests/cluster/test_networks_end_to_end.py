"""A torch job in its own image, on the node with a GPU: what it asks for it is given, and what is not there it says.

By the operator the same is shown in each run of all tests (the example of digits, and runs on GPUs).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from cluster.buckets import Buckets
from cluster.hand_made_runs import ContainerEnd, HandMadeRun, condition_of, give_credentials, pipeline_on_cluster
from cluster.kubernetes_api import NODES, KubernetesApi
from cluster.laptop_runs import assert_same_candidates, assert_same_testing, read_results, start_run
from cluster.namespaces import Namespaces
from penstock.api.schema import JobName
from penstock.decide.settings import Images
from penstock_jobs.contract import errors
from penstock_jobs.storage import Store
from testcluster.what_was_shown import Lacks

pytestmark = pytest.mark.soak
EXAMPLE = "digits"
GPU = "nvidia.com/gpu"
TOLERANCE = 0.01  # of scores of a network, which another processor or GPU gives slightly different weights


@dataclass(frozen=True)
class Done:
    """The run in pods, how each of its jobs ended, and what the laptop's run left."""

    run: HandMadeRun
    ends: dict[JobName, ContainerEnd]
    laptop: Store


@pytest.fixture(scope="module")
def images(image: Callable[[str], str]) -> Images:
    return Images(jobs=image("jobs"), torch=image("torch"))


@pytest.fixture(scope="module")
def done(
    api: KubernetesApi,
    namespaces: Namespaces,
    buckets: Buckets,
    images: Images,
    lacking: Lacks,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Done]:
    if reason := lacking("gpu"):
        pytest.skip(reason)
    gpu = {"gpu": {"count": 1, "required": False}, "timeout": "10m"}
    with (
        namespaces.one(request.node.nodeid) as namespace,
        start_run(EXAMPLE, tmp_path_factory.mktemp("home")) as laptop,
    ):
        give_credentials(api, namespace, buckets)
        pipeline = pipeline_on_cluster(EXAMPLE, namespace, buckets, jobs__training=gpu)
        run = HandMadeRun(api, namespace, pipeline, images, buckets)
        yield Done(run, run.run_all(), laptop.store)


def test_the_tables_are_those_of_a_laptop(done: Done) -> None:
    assert read_results(done.run.store).tables == read_results(done.laptop).tables


def test_the_candidates_networks_among_them_score_as_on_a_laptop(done: Done) -> None:
    assert_same_candidates(done.run.store, done.laptop, {"network": TOLERANCE})
    assert_same_testing(read_results(done.run.store), read_results(done.laptop), TOLERANCE)


def test_a_job_that_asks_for_a_gpu_runs_where_there_are_some_and_is_given_one(done: Done) -> None:
    pod = done.ends["training"].pod
    node = done.run.api.get(NODES, pod["spec"]["nodeName"])

    assert int(node["status"]["allocatable"][GPU]) > 0
    assert pod["spec"]["containers"][0]["resources"]["limits"][GPU] == "1"


@pytest.fixture(scope="module")
def log(done: Done) -> str:
    """The log of training on a GPU that is there in name only, as those of most test clusters are."""
    log = done.run.api.logs(done.ends["training"].pod["metadata"]["name"], done.run.namespace, "job")
    if "No GPU was found" not in log:
        pytest.skip("The GPU of the cluster works, so nothing can be shown of one that does not.")
    return log


def test_a_job_that_may_do_without_a_gpu_that_works_says_that_it_did(log: str) -> None:
    assert "No GPU was found; the job goes on with the processor, as it may." in log


@pytest.mark.usefixtures("log")
def test_a_job_that_requires_a_gpu_and_finds_none_fails_with_that_sentence(done: Done) -> None:
    required = {"gpu": {"count": 1, "required": True}, "retries": {"limit": 0}}
    pipeline = pipeline_on_cluster(EXAMPLE, done.run.namespace, done.run.buckets, jobs__training=required)
    run = HandMadeRun(
        done.run.api, done.run.namespace, pipeline, done.run.images, done.run.buckets, execution="required"
    )

    name = run.start("training", run.for_training(done.run.result("dataset")))
    ended = run.wait_for_end(name)

    assert ended.code == errors.UNAVAILABLE
    assert ended.failure[1].startswith("A GPU was asked for and none was found on this machine")
    assert condition_of(run.wait_for_condition(name, "Failed"), "Failed")
