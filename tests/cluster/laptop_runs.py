"""The same run with no cluster: `penstock run` on this machine, beside which the cluster's is held."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock_command import PROGRAM, ROOT
from penstock_jobs.contract import document
from penstock_jobs.contract.result import (
    DatasetResult,
    JobResult,
    ModelScores,
    ScoreResult,
    TestingResult,
    TrainingResult,
)
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import Store, open_store
from penstock_jobs.training.ledger import read_candidates

SECONDS = 600  # for a run to end, on a machine that does much else
TOLERANCE = 1e-6  # of scores, for deterministic estimators on another machine, image or number of threads
NO_TOLERANCES: Mapping[str, float] = {}


@dataclass(frozen=True)
class LaptopRun:
    """A run that goes on beside the test until its results are asked for."""

    example: str
    home: Path
    process: subprocess.Popen[str]

    @property
    def pipeline(self) -> str:
        """The name of the Pipeline."""
        return self.example.partition("/")[0]

    @property
    def store(self) -> Store:
        """The storage of the run, once it is done."""
        _, said = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, said
        return open_store(Location(uri=(self.home / "storage" / self.pipeline / "runs" / "run").as_uri()))

    @property
    def model_name(self) -> str:
        """The name of the Model that the run came to serve, once it is done."""
        there = json.loads((self.home / "resources" / "pipelines" / f"{self.pipeline}.json").read_text())
        return str(there["status"]["servedModel"]["name"])


@contextmanager
def start_run(example: str, home: Path) -> Iterator[LaptopRun]:
    """Begin `penstock run` of an example, by its path in `examples` without `.yaml`, as it is."""
    environment = {**os.environ, "PENSTOCK_HOME": str(home), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    command: list[str | Path] = [PROGRAM, "run", ROOT / "examples" / f"{example}.yaml", "--quiet"]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            yield LaptopRun(example, home, process)
        finally:
            process.terminate()


@dataclass(frozen=True)
class RunResults:
    """The results of the jobs of a run, from its storage."""

    dataset: DatasetResult
    training: TrainingResult
    testing: TestingResult

    @property
    def tables(self) -> dict[str, tuple[int, str, dict[str, int]]]:
        return tables_of(self.dataset)

    @property
    def scores_by_candidate(self) -> dict[str, ModelScores]:
        """What testing says of each Model, by the candidate that it is."""
        candidates = {model.name: model.candidate or "" for model in self.training.models}
        return {candidates[scores.model]: scores for scores in self.testing.models}


def read_results(store: Store) -> RunResults:
    """Return what the jobs of a run have left in its storage, wherever that is."""
    results: dict[str, Any] = {
        name: document.decode(store.read(f"results/{name}.json"), JobResult, f"{store.uri}, {name}")
        for name in ("dataset", "training", "testing")
    }
    return RunResults(**results)


def tables_of(made: DatasetResult) -> dict[str, tuple[int, str, dict[str, int]]]:
    """Return rows, digest and class counts of each table."""
    tables = {"training": made.training, "validation": made.validation, "testing": made.testing}
    return {name: (table.rows, table.digest, table.classes) for name, table in tables.items()}


def rows_written(store: Store) -> int:
    """Return how many rows the files of candidates have, repeated ones included."""
    return sum(len(store.read(key).splitlines()) for key in store.keys("candidates/worker-") if key.endswith(".jsonl"))


def assert_same_candidates(run: Store, other: Store, tolerances: Mapping[str, float] = NO_TOLERANCES) -> None:
    """The same candidates with the same seeds, each once, all of which succeeded, and scores within the tolerance.

    `tolerances` names the algorithms that have one of their own.
    """
    rows, others = read_candidates(run), read_candidates(other)
    assert [(row.candidate, row.seed, row.error) for row in rows] == [(row.candidate, row.seed, None) for row in others]
    for row, another in zip(rows, others, strict=True):
        tolerance = tolerances.get(row.algorithm, TOLERANCE)
        assert _values(row.scores) == pytest.approx(_values(another.scores), rel=0, abs=tolerance), row.candidate


def assert_same_testing(run: RunResults, other: RunResults, tolerance: float = TOLERANCE) -> None:
    """The same Models, scored on as many points, with scores within the tolerance."""
    assert {name: scores.points for name, scores in run.scores_by_candidate.items()} == {
        name: scores.points for name, scores in other.scores_by_candidate.items()
    }
    assert _testing_scores(run) == pytest.approx(_testing_scores(other), rel=0, abs=tolerance)


def _testing_scores(run: RunResults) -> dict[tuple[str, str], float]:
    return {
        (name, score.name): score.value for name, tested in run.scores_by_candidate.items() for score in tested.scores
    }


def _values(scores: tuple[ScoreResult, ...]) -> dict[str, float]:
    return {score.name: score.value for score in scores}
