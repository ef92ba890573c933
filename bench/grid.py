"""A grid of 500 small candidates: `python bench/grid.py [--repeats 5] [--folds 5]`.

The training job (`python -m penstock_jobs`, two processes) against `GridSearchCV(n_jobs=2)` in a script, as a person
would write it: the same training and validation rows, the same preprocessing, algorithms and values, the best fitted
again. Each is a fresh process and is timed from its start to its end, imports included; the job also scores a baseline,
keeps every row in storage and saves a Model with the proof that its file answers as the estimator does. Medians, and
their ratio.
"""

import argparse
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer

from penstock_jobs.contract import document
from penstock_jobs.contract.result import TrainingResult
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

_STRENGTHS = tuple(float(value) for value in np.geomspace(1e-3, 10, 50))
_GRID = (
    (
        "linear",
        "sklearn.linear_model.LogisticRegression",
        {"C": _STRENGTHS, "class_weight": (None, "balanced"), "fit_intercept": (True, False)},
    ),
    (
        "tree",
        "sklearn.tree.DecisionTreeClassifier",
        {"max_depth": tuple(range(1, 11)), "min_samples_leaf": tuple(range(1, 11)), "criterion": ("gini", "entropy")},
    ),
    (
        "neighbours",
        "sklearn.neighbors.KNeighborsClassifier",
        {"n_neighbors": tuple(range(1, 51)), "weights": ("uniform", "distance")},
    ),
)

_SEARCH = """
import pickle, sys
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

rows, target, splits, grids = pickle.load(open(sys.argv[1], "rb"))
kinds = {"linear": (LogisticRegression(), True), "tree": (DecisionTreeClassifier(random_state=0), False),
         "neighbours": (KNeighborsClassifier(), True)}
pipeline = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler()), ("model", None)])
grid = [{"scale": [StandardScaler() if kinds[name][1] else "passthrough"], "model": [kinds[name][0]],
         **{"model__" + key: list(values) for key, values in grid.items()}} for name, grid in grids]
search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=splits, n_jobs=2).fit(rows, target)
print(len(search.cv_results_["params"]), search.best_score_)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folds", type=int)
    options = parser.parse_args()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        home = Path(folder)
        job = _job(home, ValidationSpec(folds=options.folds) if options.folds else ValidationSpec(holdout=0.2))
        (home / "search.py").write_text(_SEARCH)
        _write_rows(job, home / "rows.pickle")
        ours, theirs = [], []
        for repeat in range(options.repeats):
            fresh = [_copy_job(job, home, repeat), "--result", home / "result.json", "--log-level", "ERROR"]
            ours.append(_time_command([sys.executable, "-m", "penstock_jobs", *fresh], environment))
            result = document.read(home / "result.json", TrainingResult)
            print(f"penstock      {ours[-1]}; {result.succeeded} candidates, best {result.best[0].score:.5f}")
            theirs.append(_time_command([sys.executable, home / "search.py", home / "rows.pickle"], environment))
            print(f"GridSearchCV  {theirs[-1]}; {theirs[-1].said.strip()}")
    for name in ("wall", "processor"):
        first, second = (statistics.median(getattr(one, name) for one in side) for side in (ours, theirs))
        print(f"median {name} {first:.2f} s and {second:.2f} s: ratio {first / second:.2f}, goal 1.10")


@dataclass(frozen=True)
class CommandTime:
    """Seconds from start to end, seconds of all its processes, and what it said."""

    wall: float
    processor: float
    said: str

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s, {self.processor:6.2f} s of processor"


def _time_command(command: list[Any], environment: dict[str, str]) -> CommandTime:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    folder = Path(__file__).parents[1] / "job-images"
    said = subprocess.run(command, check=True, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True).stdout
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return CommandTime(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said)


def _job(home: Path, validation: ValidationSpec) -> TrainingJob:
    frame = load_breast_cancer(as_frame=True).frame
    frame["id"] = range(len(frame))
    frame.to_csv(home / "rows.csv", index=False)
    run = Run(uid="bench", execution_name="bench", pipeline="bench", pipeline_uid="bench")
    target, split = TargetSpec(column="target"), SplitSpec(testing=0.2)
    made = generate(
        DatasetJob(
            run=run,
            storage=_location_at(home / "storage"),
            run_storage=_location_at(home / "run"),
            inputs=(InputSpec(name="rows", location=_location_at(home / "rows.csv")),),
            target=target,
            split=split,
            validation=validation,
            task="Classification",
            key=("id",),
        )
    )
    algorithms = tuple(
        AlgorithmSpec(
            name=name,
            estimator=estimator,
            parameters=tuple(ParameterSpec(name=key, values=values) for key, values in grid.items()),
        )
        for name, estimator, grid in _GRID
    )
    return TrainingJob(
        run=run,
        storage=_location_at(home / "storage"),
        run_storage=_location_at(home / "run"),
        models=_location_at(home / "models"),
        training=made.training,
        validation=made.validation,
        testing=made.testing,
        columns=made.columns,
        task=made.task,
        target=target,
        split=split,
        validation_rule=validation,
        scoring=ScoringSpec(name="roc_auc"),
        algorithms=algorithms,
        processes=2,
    )


def _copy_job(job: TrainingJob, home: Path, repeat: int) -> Path:
    """Write the job with fresh folders for what it leaves, so that nothing is found done."""
    fresh = {"run_storage": _location_at(home / f"run-{repeat}"), "models": _location_at(home / f"models-{repeat}")}
    values = {name: getattr(job, name) for name in job.__struct_fields__}
    path = home / f"specification-{repeat}.json"
    path.write_bytes(document.encode(TrainingJob(**{**values, **fresh})))
    return path


def _write_rows(job: TrainingJob, path: Path) -> None:
    """Write the rows, the target and the splits that the job uses, for the script to load."""
    from penstock_jobs.training.loading import load
    from penstock_jobs.training.tasks import make_splits

    data, _ = load(job)
    places = np.arange(len(data.target))
    splits = [(places[split.fit], places[split.score]) for split in make_splits(job, data)]
    grids = [(name, grid) for name, _, grid in _GRID]
    path.write_bytes(pickle.dumps((data.frame.to_numpy(), data.target, splits, grids)))


def _location_at(path: Path) -> Location:
    return Location(uri=path.as_uri())


if __name__ == "__main__":
    main()
