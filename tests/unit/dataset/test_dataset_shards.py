"""A dataset job over several pods: each reads its files, and the last to end makes the tables, once."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock_jobs.contract import document
from penstock_jobs.contract.document import decode, encode
from penstock_jobs.contract.result import DatasetPart, DatasetResult, JobResult
from penstock_jobs.contract.specification import (
    DatasetJob,
    InputSpec,
    Location,
    Run,
    Shard,
    SplitSpec,
    TargetSpec,
    ValidationSpec,
)
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.dataset import generate, merge_job, read_shard
from penstock_jobs.job_process import main
from penstock_jobs.storage import open_store

COUNT = 3


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    for file in range(5):
        rows = (f"{number},{number % 7},{'yes' if number % 3 else 'no'}" for number in range(file * 40, file * 40 + 40))
        (folder / f"{file}.csv").write_text("\n".join(["id,age,left", *rows]) + "\n")
    return folder


def job(inputs: Path, storage: Path, shard: Shard) -> DatasetJob:
    return DatasetJob(
        run=Run(uid="0f", execution_name="test", pipeline="churn", pipeline_uid="1e"),
        storage=Location(uri=storage.as_uri()),
        run_storage=Location(uri=(storage / "runs" / "test").as_uri()),
        inputs=(InputSpec(name="rows", location=Location(uri=f"{inputs.as_uri()}/*.csv")),),
        target=TargetSpec(column="left"),
        split=SplitSpec(testing=0.2),
        validation=ValidationSpec(holdout=0.2),
        key=("id",),
        shard=shard,
    )


def started(inputs: Path, storage: Path, folder: Path, index: int) -> subprocess.Popen[bytes]:
    """Start the pod of that index: it reads what all pods read, and knows its index by its environment."""
    folder.mkdir(exist_ok=True)
    specification = folder / "specification.json"
    specification.write_bytes(encode(job(inputs, storage, Shard(index=0, count=COUNT))))
    words = [sys.executable, "-m", "penstock_jobs", str(specification)]
    words += ["--termination-message", str(folder / f"message-{index}"), "--log-level", "ERROR"]
    return subprocess.Popen(words, env={**os.environ, "JOB_COMPLETION_INDEX": str(index)})


def told(folder: Path, index: int) -> JobResult | None:
    content = (folder / f"message-{index}").read_bytes()
    return document.decode(content, TerminationMessage, "the message").result


def digests(result: DatasetResult) -> list[str]:
    return [result.training.digest, result.validation.digest, result.testing.digest]


def test_pods_that_run_at_once_make_the_tables_of_one_pod_and_make_them_once(inputs: Path, tmp_path: Path) -> None:
    alone = generate(job(inputs, tmp_path / "alone", Shard()))
    pods = [started(inputs, tmp_path / "storage", tmp_path / "pods", index) for index in range(COUNT)]

    assert [pod.wait(120) for pod in pods] == [0] * COUNT

    results = [told(tmp_path / "pods", index) for index in range(COUNT)]
    [whole] = [each for each in results if isinstance(each, DatasetResult)]
    assert sum(isinstance(each, DatasetPart) for each in results) == COUNT - 1
    assert digests(whole) == digests(alone)
    assert whole.generation == 1


@pytest.mark.parametrize("order", [*itertools.permutations(range(COUNT))][:3])
def test_whichever_ends_last_has_the_merge(inputs: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    merged = []
    for index in order:
        part = job(inputs, tmp_path, Shard(index=index, count=COUNT))
        open_store(part.run_storage).write(f"results/dataset-{index}.json", encode(read_shard(part)))
        merged.append(merge_job(part))

    assert [each is not None for each in merged] == [False] * (COUNT - 1) + [True]


def test_one_that_was_killed_while_it_merged_goes_on_and_no_other_takes_it_over(inputs: Path, tmp_path: Path) -> None:
    parts = [job(inputs, tmp_path, Shard(index=index, count=COUNT)) for index in range(COUNT)]
    for index, part in enumerate(parts):
        open_store(part.run_storage).write(f"results/dataset-{index}.json", encode(read_shard(part)))
    first = merge_job(parts[1])

    assert first is not None
    assert [merge_job(part) for part in parts] == [None, first, None]


def test_another_attempt_tells_the_tables_that_are_made(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = generate(job(inputs, tmp_path, Shard()))
    part = job(inputs, tmp_path, Shard(index=0, count=COUNT))
    open_store(part.run_storage).write("results/dataset.json", encode(made))
    (tmp_path / "specification.json").write_bytes(encode(part))
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")

    assert main([str(tmp_path / "specification.json")]) == 0
    assert decode(capsys.readouterr().out.encode(), JobResult, "the output") == made
