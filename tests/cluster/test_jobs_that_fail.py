"""Jobs in real pods that end otherwise than well: each with one sentence in the pod's status, and no try too many."""

from collections.abc import Callable

import pytest

from cluster.buckets import Buckets
from cluster.hand_made_runs import (
    READER,
    SLOW_QUERY,
    WRITER,
    HandMadeRun,
    condition_of,
    give_credentials,
    pipeline_on_cluster,
)
from cluster.kubernetes_api import KubernetesApi
from penstock.decide.settings import Images
from penstock_jobs.contract import errors
from testcluster.s3 import Account


@pytest.fixture
def images(image: Callable[[str], str]) -> Images:
    return Images(jobs=image("jobs"))


@pytest.fixture
def storage(api: KubernetesApi, namespace: str, buckets: Buckets) -> str:
    """A namespace with the Secrets of a Pipeline's storage."""
    give_credentials(api, namespace, buckets)
    return namespace


def test_a_job_that_outlives_its_timeout_fails_at_once_and_says_so(
    api: KubernetesApi, storage: str, buckets: Buckets, images: Images
) -> None:
    pipeline = pipeline_on_cluster("breast-cancer", storage, buckets, jobs__training={"timeout": "1s"})
    run = HandMadeRun(api, storage, pipeline, images, buckets)
    run.do("dataset", run.for_dataset())

    name = run.start("training", run.for_training(run.result("dataset")))
    ended = run.wait_for_end(name)
    failed = condition_of(run.wait_for_condition(name, "Failed"), "Failed") or {}

    assert ended.code == errors.TIMED_OUT
    assert ended.failure == ("TimedOut", "The job was still running after its timeout of 1 s.")
    assert failed["reason"] == "PodFailurePolicy"
    assert "exit code 124" in failed["message"]
    assert len(run.pods(name)) == 1


def test_a_wrong_secret_key_is_said_in_the_status_of_the_pod(
    api: KubernetesApi, storage: str, buckets: Buckets, images: Images
) -> None:
    access = buckets.server.writer.access_key
    api.create(Account(access, "not the secret").secret("wrong", storage))
    credentials = {"read": {"secretName": READER}, "write": {"secretName": "wrong"}}
    pipeline = pipeline_on_cluster("breast-cancer", storage, buckets, storage__credentials=credentials)
    run = HandMadeRun(api, storage, pipeline, images, buckets)

    name = run.start("dataset", run.for_dataset())
    reason, sentence = run.wait_for_end(name).failure
    run.wait_for_condition(name, "Failed")

    assert reason == "Refused"
    assert "the secret access key is wrong" in sentence
    assert len(run.pods(name)) == 1


def test_credentials_that_may_only_read_write_nothing_and_the_missing_right_is_named(
    api: KubernetesApi, storage: str, buckets: Buckets, images: Images
) -> None:
    credentials = {"read": {"secretName": WRITER}, "write": {"secretName": READER}}
    pipeline = pipeline_on_cluster("breast-cancer", storage, buckets, storage__credentials=credentials)
    run = HandMadeRun(api, storage, pipeline, images, buckets)

    name = run.start("dataset", run.for_dataset())
    reason, sentence = run.wait_for_end(name).failure
    run.wait_for_condition(name, "Failed")

    assert reason == "Refused"
    assert "(PutObject)" in sentence
    assert buckets.versions(f"{storage}/") == {}


def test_a_pod_that_is_evicted_as_by_a_drain_costs_no_try(
    api: KubernetesApi, storage: str, buckets: Buckets, images: Images
) -> None:
    once = {"retries": {"limit": 0}}
    pipeline = pipeline_on_cluster("breast-cancer", storage, buckets, dataset__query=SLOW_QUERY, jobs__dataset=once)
    run = HandMadeRun(api, storage, pipeline, images, buckets)

    name = run.start("dataset", run.for_dataset())
    evicted = run.running(name)
    api.evict(evicted, storage)
    done = run.wait_for_condition(name, "Complete")
    (second,) = run.pods(name)

    assert done["spec"]["backoffLimit"] == 0
    assert second["metadata"]["name"] != evicted
    assert run.result("dataset").generation == 1
