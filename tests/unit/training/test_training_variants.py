"""Searches with a network, with folds in time order, and against what a job may use."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column, TableVersion
from penstock_jobs.contract.specification import (
    EarlyStoppingSpec,
    Location,
    ScoringSpec,
    SplitSpec,
    TargetSpec,
    TrainingJob,
    ValidationSpec,
)
from penstock_jobs.models.loading import load_model
from penstock_jobs.training import train
from penstock_jobs.training.loading import load
from penstock_jobs.training.memory import check_memory, estimate
from penstock_jobs.training.tasks import make_splits
from training_jobs import LINEAR, Tables, algorithm, make_mixed_frame, make_tables


@pytest.mark.torch
def test_a_network_is_a_candidate_like_any_other(mixed_tables: Tables) -> None:
    pytest.importorskip("torch")
    network = algorithm(
        "network",
        "penstock_jobs.networks.NeuralNetworkClassifier",
        early_stopping=EarlyStoppingSpec(share=0.2, patience=3),
        epochs=30,
        hidden_layer_sizes=[(8,), (16, 8)],
    )
    result = train(mixed_tables.job(name="network", algorithms=(network, LINEAR), keep=5, processes=2))
    rows = [row for row in mixed_tables.rows("network") if row.algorithm == "network"]
    assert [row.error for row in rows] == [None, None]
    assert all(row.scores[0].value > 0.6 for row in rows)
    assert {model.algorithm for model in result.models} == {"network", "linear"}


def test_folds_in_time_order_are_fitted_on_the_past_only(tmp_path: Path) -> None:
    frame = make_mixed_frame(240).drop(columns="since")
    frame["day"] = np.arange(240)
    frame["day"] = (np.datetime64("2026-01-01") + np.arange(240).astype("timedelta64[D]")).astype(str)
    tables = make_tables(
        tmp_path,
        frame,
        task="Classification",
        target=TargetSpec(column="y", positive="yes"),
        split=SplitSpec(testing=0.2, strategy="Time", time_column="day", cutoff="2026-07-01", gap=86400.0),
        validation=ValidationSpec(folds=3),
    )
    job = tables.job(validation_rule=ValidationSpec(folds=3))
    data, _ = load(job)
    assert data.time is not None
    for split in make_splits(job, data):
        assert data.time[split.fit].max() + 86400.0 < data.time[split.score].min()
    assert train(job).succeeded == 3


def test_a_task_and_a_target_that_do_not_fit_are_refused(mixed_tables: Tables) -> None:
    with pytest.raises(Refused, match=r"Algorithm linear is .* not a regressor"):
        train(mixed_tables.job(name="task", task="Regression", scoring=ScoringSpec(name="r2")))


def sized(job: TrainingJob, rows: int, memory: int | None, processes: int) -> TrainingJob:
    table = TableVersion(uri="file:///x", version=0, rows=rows, digest="")
    columns = tuple(Column(name=f"c{place}", type="Float") for place in range(20))
    fields = {name: getattr(job, name) for name in job.__struct_fields__}
    changed = {"training": table, "validation": table, "columns": columns, "memory": memory, "processes": processes}
    return type(job)(**{**fields, **changed})


def test_memory_grows_with_rows_and_processes(mixed_tables: Tables) -> None:
    job = mixed_tables.job()
    small, large = (estimate(sized(job, rows, None, 1)).total for rows in (1000, 10_000_000))
    assert large > 10 * small
    assert estimate(sized(job, 10_000_000, None, 4)).shared == estimate(sized(job, 10_000_000, None, 1)).shared


def test_too_little_memory_is_refused_with_what_to_do(mixed_tables: Tables) -> None:
    with pytest.raises(Refused, match="fewer than 8 processes"):
        check_memory(sized(mixed_tables.job(), 1_000_000, 3 * 2**30, 8))
    check_memory(sized(mixed_tables.job(), 1_000_000, 3 * 2**30, 1))


@pytest.mark.parametrize(
    ("calibration", "estimator"),
    [("Sigmoid", "sklearn.linear_model.LogisticRegression"), ("Isotonic", "sklearn.naive_bayes.GaussianNB")],
)
def test_a_calibration_on_folds_weighs_the_points_in_fit_and_calibration(
    tmp_path: Path, calibration: object, estimator: str
) -> None:
    frame = make_mixed_frame(300)[["id", "first"]]
    wrong = frame["id"] % 5 < 3
    frame["weight"] = np.where(wrong, 0.0, 1.0)
    frame["y"] = np.where((frame["first"] > 0) ^ wrong, "yes", "no")
    tables = make_tables(
        tmp_path,
        frame,
        task="Classification",
        target=TargetSpec(column="y", positive="yes"),
        validation=ValidationSpec(folds=3, repeats=2),
        weight="weight",
    )
    [reference] = train(tables.job(calibration=calibration, algorithms=(algorithm("one", estimator),))).models

    answers = load_model(Location(uri=reference.uri)).predict_frame(pd.DataFrame({"first": [-1.5, 1.5]}))
    assert answers.probabilities is not None
    low, high = answers.probabilities[:, 1]
    assert low < 0.2
    assert high > 0.8
