"""A job shared out over pods makes what one pod makes: files of an input, candidates of a grid."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cluster.buckets import Buckets
from cluster.hand_made_runs import (
    INPUTS,
    ROOT,
    ContainerEnd,
    HandMadeRun,
    ends_of,
    give_credentials,
    pipeline_on_cluster,
)
from cluster.kubernetes_api import PODS, KubernetesApi
from cluster.laptop_runs import read_results, start_run
from cluster.namespaces import Namespaces
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.sharing import share_out
from penstock.decide.settings import Images
from penstock_jobs.contract.result import CandidateRow, DatasetPart, DatasetResult, JobResult, TrainingResult
from penstock_jobs.contract.specification import JobSpecification

EXAMPLE = "breast-cancer"
FILES, SHARDS, WORKERS = 4, 3, 2


@pytest.fixture(scope="module")
def run(
    api: KubernetesApi,
    namespaces: Namespaces,
    buckets: Buckets,
    image: Callable[[str], str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[HandMadeRun]:
    with namespaces.one(f"{request.node.nodeid}::shared") as namespace:
        give_credentials(api, namespace, buckets)
        changes: dict[str, Any] = {
            "dataset__inputs": in_several_files(buckets, namespace, tmp_path_factory.mktemp("parts")),
            "jobs__dataset__parallelism": SHARDS,
            "jobs__training__parallelism": WORKERS,
        }
        pipeline = pipeline_on_cluster(EXAMPLE, namespace, buckets, **changes)
        yield HandMadeRun(api, namespace, pipeline, Images(jobs=image("jobs")), buckets)


def in_several_files(buckets: Buckets, namespace: str, folder: Path) -> list[dict[str, Any]]:
    """Return the input of the example as it is in several files of a bucket."""
    whole = ROOT / "examples" / "data" / "breast-cancer.parquet"
    uri = ""
    for number in range(FILES):
        part = folder / f"{number}.parquet"
        query = f"SELECT * FROM '{whole}' WHERE sample % {FILES} = {number}"
        duckdb.sql(f"COPY ({query}) TO '{part}' (FORMAT parquet)")
        uri = buckets.upload(part, f"{namespace}/parts/{number}.parquet")
    return [
        {
            "name": "samples",
            "uri": f"{uri.rpartition('/')[0]}/*.parquet",
            "endpoint": buckets.server.inside,
            "credentials": {"secretName": INPUTS},
        }
    ]


@pytest.fixture(scope="module")
def dataset(run: HandMadeRun) -> list[JobResult]:
    """What the pods of the dataset job told, by their index."""
    return told(run, "dataset", run.for_dataset(), SHARDS)


@pytest.fixture(scope="module")
def training(run: HandMadeRun, dataset: list[JobResult]) -> list[JobResult]:
    return told(run, "training", run.for_training(run.result("dataset")), WORKERS)


def told(run: HandMadeRun, part: Any, specification: JobSpecification, pods: int) -> list[JobResult]:
    name = run.start(part, share_out(specification, settings_of(run.pipeline.spec, part)))

    def all_ended(there: dict[str, Any]) -> list[ContainerEnd] | None:
        ends = ends_of(there.values())
        assert all(each.code == 0 for each in ends), [each.said for each in ends]
        return ends if len(ends) == pods else None

    labels = f"batch.kubernetes.io/job-name={name}"
    ends = run.api.wait(PODS, run.namespace, all_ended, what=f"an end of each pod of {name}", labels=labels)
    results = [each.message.result for each in sorted(ends, key=index_of)]
    return [each for each in results if each is not None]


def index_of(ended: ContainerEnd) -> int:
    return int(ended.pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"])


def test_one_of_the_pods_makes_the_tables_and_the_others_say_what_they_read(dataset: list[JobResult]) -> None:
    assert len(dataset) == SHARDS
    assert sum(isinstance(each, DatasetResult) for each in dataset) == 1
    assert sum(isinstance(each, DatasetPart) for each in dataset) == SHARDS - 1


def test_the_tables_are_those_of_one_process_on_a_laptop(
    run: HandMadeRun, dataset: list[JobResult], tmp_path: Path
) -> None:
    with start_run(EXAMPLE, tmp_path) as laptop:
        ours, theirs = run.result("dataset"), read_results(laptop.store).dataset

    assert dataset
    assert ours.testing.digest == theirs.testing.digest
    assert ours.training.digest == theirs.training.digest
    assert ours.validation.digest == theirs.validation.digest


def test_every_candidate_is_done_by_one_worker(run: HandMadeRun, training: list[JobResult]) -> None:
    results = [each for each in training if isinstance(each, TrainingResult)]
    rows = candidates(run)

    assert sum(each.succeeded for each in results) == 15
    assert len({row.candidate for row in rows}) == len(rows) == 16  # and the baseline


def candidates(run: HandMadeRun) -> list[CandidateRow]:
    from penstock_jobs.training.ledger import read_candidates

    return read_candidates(run.store)


def test_each_worker_names_its_best_and_the_best_of_all_is_among_them(
    run: HandMadeRun, training: list[JobResult]
) -> None:
    named = {each.candidate for result in training if isinstance(result, TrainingResult) for each in result.best}
    scored = [row for row in candidates(run) if not row.baseline]

    assert max(scored, key=lambda row: row.scores[0].value).candidate in named
