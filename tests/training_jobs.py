"""Tables that the dataset job made of small inputs, and training jobs on them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from penstock_jobs.contract import document
from penstock_jobs.contract.result import CandidateRow, DatasetResult
from penstock_jobs.contract.specification import (
    AlgorithmSpec,
    DatasetJob,
    InputSpec,
    Location,
    ParameterSpec,
    Run,
    ScoringSpec,
    SplitSpec,
    TargetSpec,
    TrainingJob,
    ValidationSpec,
)
from penstock_jobs.dataset import generate
from penstock_jobs.storage.folder import FolderStore
from penstock_jobs.training.ledger import read_candidates

ROOT = Path(__file__).parents[1]


def location_at(path: Path) -> Location:
    return Location(uri=path.as_uri())


def algorithm(name: str, estimator: str, early_stopping: Any = None, **values: Any) -> AlgorithmSpec:
    """Return an algorithm; a list is searched, anything else is fixed."""
    parameters = tuple(
        ParameterSpec(name=key, values=tuple(value))
        if isinstance(value, list)
        else ParameterSpec(name=key, value=value)
        for key, value in values.items()
    )
    return AlgorithmSpec(name=name, estimator=estimator, parameters=parameters, early_stopping=early_stopping)


LINEAR = algorithm("linear", "sklearn.linear_model.LogisticRegression", C=[0.1, 1.0, 10.0])


@dataclass
class Tables:
    """Tables in `home`, and what made them."""

    home: Path
    made: DatasetResult
    asked: DatasetJob

    def job(self, **changes: Any) -> TrainingJob:
        """Return a training job on the tables that leaves what it makes in `home/<name>`."""
        name = changes.pop("name", "run")
        run = Run(uid=f"uid-{name}", execution_name=name, pipeline="pipe", pipeline_uid="p")
        return TrainingJob(
            **{
                "run": run,
                "storage": self.asked.storage,
                "run_storage": location_at(self.home / name / "run"),
                "models": location_at(self.home / name / "models"),
                "training": self.made.training,
                "validation": self.made.validation,
                "testing": self.made.testing,
                "columns": self.made.columns,
                "task": self.made.task,
                "target": self.asked.target,
                "split": self.asked.split,
                "validation_rule": self.asked.validation,
                "scoring": ScoringSpec(name="roc_auc"),
                "algorithms": (LINEAR,),
                "generation": self.made.generation,
                **changes,
            }
        )

    def rows(self, name: str = "run") -> list[CandidateRow]:
        return read_candidates(FolderStore(self.home / name / "run"))

    def models(self, name: str = "run") -> list[str]:
        return sorted(path.parent.name for path in (self.home / name / "models").glob("*/manifest.json"))


def make_tables(home: Path, frame: pd.DataFrame, **changes: Any) -> Tables:
    """Split the frame, whose key is `id` and whose target is `y`, into tables."""
    home.mkdir(parents=True, exist_ok=True)
    frame.to_json(home / "rows.jsonl", orient="records", lines=True)
    asked = DatasetJob(
        **{
            "run": Run(uid="d", execution_name="d", pipeline="pipe", pipeline_uid="p"),
            "storage": location_at(home / "storage"),
            "run_storage": location_at(home / "dataset-run"),
            "inputs": (InputSpec(name="rows", location=location_at(home / "rows.jsonl")),),
            "target": TargetSpec(column="y"),
            "split": SplitSpec(testing=0.2),
            "validation": ValidationSpec(holdout=0.25),
            "key": ("id",),
            **changes,
        }
    )
    return Tables(home, generate(asked), asked)


def start_job(job: TrainingJob, path: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Start the job as its own process, in a session of its own."""
    path.write_bytes(document.encode(job))
    return subprocess.Popen(
        [sys.executable, "-m", "penstock_jobs", path, "--result", path.with_suffix(".result")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "job-images"), **environment},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def drop_seconds(rows: list[CandidateRow]) -> list[dict[str, Any]]:
    """Return the rows without what differs from run to run: the seconds."""
    timed = ("fitSeconds", "scoreSeconds")
    return [{name: value for name, value in msgspec.to_builtins(row).items() if name not in timed} for row in rows]


def make_mixed_frame(rows: int = 240, seed: int = 5) -> pd.DataFrame:
    """Return numbers, text, a flag and a moment, some of them missing, and `y` in yes and no that depends on them."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=rows), random.normal(size=rows)
    colour = random.choice(np.array(["red", "green", "blue", None]), size=rows)
    chance = 1 / (1 + np.exp(-(2 * first - second + 1.5 * (colour == "red"))))
    return pd.DataFrame(
        {
            "id": range(rows),
            "first": first,
            "second": np.where(random.random(rows) < 0.1, np.nan, second),
            "colour": colour,
            "member": random.choice([True, False], size=rows),
            "since": pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), "D")).dt.strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "y": np.where(random.random(rows) < chance, "yes", "no"),
        }
    )
