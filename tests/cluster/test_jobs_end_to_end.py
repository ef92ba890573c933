"""The jobs of the breast-cancer example in real pods, against a real S3 server: they make what a laptop makes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import duckdb
import msgspec
import pytest

from cluster.buckets import Buckets
from cluster.hand_made_runs import (
    INPUTS,
    READER,
    ROOT,
    SLOW_QUERY,
    WRITER,
    ContainerEnd,
    HandMadeRun,
    give_credentials,
    pipeline_on_cluster,
)
from cluster.hand_made_servers import HandMadeServer
from cluster.kubernetes_api import PODS, KubernetesApi
from cluster.laptop_runs import (
    TOLERANCE,
    RunResults,
    assert_same_candidates,
    assert_same_testing,
    read_results,
    rows_written,
    start_run,
    tables_of,
)
from cluster.namespaces import Namespaces
from penstock.api.schema import JobName
from penstock.decide.settings import Images
from penstock_jobs.contract.result import TrainingResult
from penstock_jobs.contract.termination_message import LIMIT, TerminationMessage, find_in_log
from penstock_jobs.serving.notebook import load
from penstock_jobs.storage import Store

EXAMPLE = "breast-cancer"
CANDIDATES = 15


@dataclass(frozen=True)
class Done:
    """The run in pods, how each of its jobs ended, and what the laptop's run left."""

    run: HandMadeRun
    ends: dict[JobName, ContainerEnd]
    laptop: Store

    @property
    def on_cluster(self) -> RunResults:
        return read_results(self.run.store)

    @property
    def on_laptop(self) -> RunResults:
        return read_results(self.laptop)


@pytest.fixture(scope="module")
def done(
    api: KubernetesApi,
    namespaces: Namespaces,
    buckets: Buckets,
    image: Callable[[str], str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Done]:
    with (
        namespaces.one(request.node.nodeid) as namespace,
        start_run(EXAMPLE, tmp_path_factory.mktemp("home")) as laptop,
    ):
        give_credentials(api, namespace, buckets)
        pipeline = pipeline_on_cluster(EXAMPLE, namespace, buckets)
        run = HandMadeRun(api, namespace, pipeline, Images(jobs=image("jobs")), buckets)
        yield Done(run, run.run_all(), laptop.store)


def test_the_tables_are_those_of_a_laptop(done: Done) -> None:
    assert done.on_cluster.tables == done.on_laptop.tables
    assert done.on_cluster.dataset.leak_proof == done.on_laptop.dataset.leak_proof


def test_the_candidates_and_their_scores_are_those_of_a_laptop(done: Done) -> None:
    assert done.on_cluster.training.total == CANDIDATES
    assert_same_candidates(done.run.store, done.laptop)


def test_the_same_models_are_kept_and_score_alike_on_the_testing_set(done: Done) -> None:
    assert [model.candidate for model in done.on_cluster.training.models] == [
        model.candidate for model in done.on_laptop.training.models
    ]
    assert_same_testing(done.on_cluster, done.on_laptop)


@pytest.mark.parametrize("job", ["dataset", "training", "testing"])
def test_the_status_of_a_pod_has_the_result_in_4_kib_and_names_what_it_lacks(done: Done, job: JobName) -> None:
    ended, stored = done.ends[job], done.run.result(job)
    message = ended.message

    assert len(ended.said.encode()) <= LIMIT
    assert message.stored == f"{done.run.places.run().uri}/results/{job}.json"
    assert _without(message.result, message.omitted) == _without(stored, message.omitted)


def test_who_cannot_read_the_storage_finds_the_whole_of_a_long_result_in_the_log(done: Done) -> None:
    ended = done.ends["training"]
    log = done.run.api.logs(ended.pod["metadata"]["name"], done.run.namespace, "job")
    digest = ended.message.digest

    assert digest is not None, "the result with its manifests was expected to be longer than a termination message"
    whole = msgspec.json.decode(find_in_log(log, digest) or b"", type=TerminationMessage)
    assert isinstance(whole.result, TrainingResult)
    assert whole.result == done.run.result("training")
    assert [manifest.name for manifest in whole.manifests] == [model.name for model in whole.result.models]


def test_each_pod_mounts_the_credentials_that_its_job_needs_and_no_token(done: Done) -> None:
    assert {job: _mounted(ended) for job, ended in done.ends.items()} == {
        "dataset": {INPUTS, WRITER},
        "training": {READER, WRITER},
        "testing": {READER, WRITER},
    }
    assert not any(
        "projected" in volume for ended in done.ends.values() for volume in ended.pod["spec"].get("volumes", [])
    )


def test_a_job_that_is_made_again_finds_its_result_and_changes_nothing(done: Done) -> None:
    run, storage = done.run, f"{done.run.namespace}/"
    before = run.buckets.versions(storage)

    ended = run.do("training", run.for_training(run.result("dataset")), attempt=2)

    assert ended.message == done.ends["training"].message
    after = run.buckets.versions(storage)
    [log] = after.keys() - before.keys()
    assert log.endswith("/logs/training.2.log")  # each pod leaves its own
    assert {key: after[key] for key in before} == before


def test_a_dataset_pod_that_vanishes_is_made_up_for_by_a_second_with_the_same_tables(
    done: Done, buckets: Buckets
) -> None:
    slow = pipeline_on_cluster(EXAMPLE, done.run.namespace, buckets, dataset__query=SLOW_QUERY)
    run = replace(done.run, pipeline=slow, execution="vanished-dataset", uid=str(uuid4()))

    name = run.start("dataset", run.for_dataset())
    vanished = run.running(name)
    run.api.wait_for_log(vanished, run.namespace, "job", re.compile("Reading the inputs").search)
    run.api.delete(PODS, vanished, run.namespace)
    run.wait_for_condition(name, "Complete")
    (second,) = run.pods(name)

    assert second["metadata"]["name"] != vanished
    assert tables_of(run.result("dataset")) == done.on_laptop.tables


def test_a_training_pod_that_vanishes_half_way_leaves_nothing_double(done: Done) -> None:
    run = replace(done.run, execution="vanished-training", uid=str(uuid4()))

    name = run.start("training", run.for_training(done.on_cluster.dataset))
    vanished = run.running(name)
    run.api.wait_for_log(vanished, run.namespace, "job", re.compile(rf"[1-9]\d* of {CANDIDATES} candidates").search)
    run.api.delete(PODS, vanished, run.namespace)
    run.wait_for_condition(name, "Complete")
    (second,) = run.pods(name)

    assert second["metadata"]["name"] != vanished
    assert rows_written(run.store) == CANDIDATES + 1  # with the baseline
    assert_same_candidates(run.store, done.laptop)
    assert [model.candidate for model in run.result("training").models] == [
        model.candidate for model in done.on_laptop.training.models
    ]


@pytest.fixture(scope="module")
def server(done: Done, image: Callable[[str], str]) -> HandMadeServer:
    best = done.on_cluster.training.models[0]
    made = HandMadeServer(done.run, best, image("serving"))
    made.start()
    return made


def test_the_server_says_that_it_is_ready_and_which_model_it_serves(done: Done, server: HandMadeServer) -> None:
    server.ask("/v2/health/ready")

    assert server.ask(f"/v2/models/{EXAMPLE}")["versions"] == [server.model.digest.removeprefix("sha256:")[:12]]


def test_a_prediction_through_the_service_is_that_of_the_laptops_model(done: Done, server: HandMadeServer) -> None:
    (candidate,) = [each for each in done.on_laptop.training.models if each.candidate == server.model.candidate]
    model = load(candidate.uri, digest=candidate.digest)
    rows = duckdb.read_parquet(str(ROOT / f"examples/data/{EXAMPLE}.parquet")).limit(4).df()
    features = rows[[feature.name for feature in model.manifest.features]]

    answer = server.ask_from_a_pod(f"/v1/models/{EXAMPLE}:predict", {"instances": features.to_dict(orient="records")})

    assert answer["model"] == server.model.name
    assert answer["predictions"] == list(model.predict(features))
    assert answer["probabilities"] == [
        pytest.approx(row, abs=TOLERANCE) for row in model.predict_proba(features).values
    ]


def _without(result: object, names: dict[str, int]) -> object:
    """Return the result as plain values, without the fields of these names, wherever they are."""
    if isinstance(result, dict):
        return {name: _without(value, names) for name, value in result.items() if name not in names}
    if isinstance(result, list | tuple):
        return [_without(each, names) for each in result]
    return _without(msgspec.to_builtins(result), names) if isinstance(result, msgspec.Struct) else result


def _mounted(ended: ContainerEnd) -> set[str]:
    return {volume["secret"]["secretName"] for volume in ended.pod["spec"]["volumes"] if "secret" in volume}
