"""Small fitted Models for the tests of saving, loading and serving."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from penstock_jobs.contract.manifest import FeatureSpec, Lineage, Origin
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.specification import Location
from penstock_jobs.models.fitted import FittedModel
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.models.loading import LoadedModel, load_model
from penstock_jobs.models.saving import save_model
from penstock_jobs.serving.warming import rehearse
from penstock_jobs.storage import Store, open_store

FEATURES = (
    FeatureSpec(name="age", type="Integer"),
    FeatureSpec(name="mean radius", type="Float"),
    FeatureSpec(name="member", type="Boolean"),
    FeatureSpec(name="town", type="String", categories=("Bonn", "Lyon", "Oslo")),
    FeatureSpec(name="joined", type="Timestamp"),
    FeatureSpec(name="born", type="Date"),
)
NUMBERS = [feature.name for feature in FEATURES if feature.type != "String"]

LINEAGE = Lineage(
    storage="file:///storage",
    strategy="Key",
    key=("id",),
    salt="penstock",
    epoch=0,
    testing_share=0.2,
    generation=1,
    training_uri="file:///storage/datasets/training",
    training_version=0,
    training_digest="d1",
    validation_uri="file:///storage/datasets/validation",
    validation_version=0,
    validation_digest="d2",
    testing_uri="file:///storage/datasets/testing/epoch-0",
    testing_version=0,
)
ORIGIN = Origin(
    pipeline="churn",
    run_uid="run-1",
    execution_name="first",
    candidate="candidate-1",
    algorithm="linear",
    estimator="sklearn.linear_model.LogisticRegression",
    parameters={"C": 1.0},
    seed=7,
)


def people(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """A table with every type of column, with nulls in most of them."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, rows),
            "mean radius": random.normal(14, 3, rows),
            "member": random.random(rows) < 0.5,
            "town": random.choice(["Bonn", "Lyon", "Oslo"], rows),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, rows), unit="s"),
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(random.integers(0, 20000, rows), unit="D"),
        }
    )
    frame.loc[::9, "mean radius"] = np.nan
    frame.loc[::7, "town"] = None
    return frame


def outcome(frame: pd.DataFrame) -> np.ndarray:
    """Who left: a noiseless rule over several columns."""
    left = (frame["age"] > 50) ^ (frame["town"] == "Lyon") & (frame["mean radius"].fillna(0) > 13)
    return np.where(left, "yes", "no")


def preprocessing(**encoder: Any) -> ColumnTransformer:
    options: dict[str, Any] = {"handle_unknown": "infrequent_if_exist", "sparse_output": False} | encoder
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", OneHotEncoder(**options), ["town"])])


def fit_model(estimator: Any = None, name: str = "model", *, wrap: Any = None, **changes: Any) -> FittedModel:
    """A classifier of `people`, fitted; `wrap` may take the fitted Pipeline and give another."""
    frame = people()
    pipeline = Pipeline(
        [("preprocessing", preprocessing()), ("estimator", LogisticRegression() if estimator is None else estimator)]
    )
    seen = model_frame(frame, FEATURES)
    pipeline.fit(seen, outcome(frame))
    model = FittedModel(
        name=name,
        estimator=wrap(pipeline, seen, outcome(frame)) if wrap else pipeline,
        features=FEATURES,
        task="Classification",
        target="left",
        target_type="String",
        validation=people(80, seed=1),
        origin=ORIGIN,
        lineage=LINEAGE,
        classes=("no", "yes"),
        positive="yes",
    )
    return change_model(model, **changes)


def fit_regression(estimator: Any, name: str = "model") -> FittedModel:
    """A regression on `people`."""
    frame = people()
    pipeline = Pipeline([("preprocessing", preprocessing()), ("estimator", estimator)])
    pipeline.fit(model_frame(frame, FEATURES), frame["age"] * 2.0 + frame["mean radius"].fillna(3.0))
    return change_model(
        fit_model(name=name), estimator=pipeline, task="Regression", target_type="Float", classes=(), positive=None
    )


def change_model(model: FittedModel, **changes: Any) -> FittedModel:
    from dataclasses import replace

    return replace(model, **changes)


def with_origin(model: FittedModel, **changes: Any) -> FittedModel:
    return change_model(model, origin=msgspec.structs.replace(model.origin, **changes))


def store_at(folder: Path) -> Store:
    return open_store(Location(uri=folder.as_uri()))


def clock_at(moment: str = "2026-01-31T12:00:00") -> Any:
    return lambda: datetime.fromisoformat(moment).replace(tzinfo=UTC)


def save(folder: Path, model: FittedModel, **options: Any) -> ModelReference:
    return save_model(store_at(folder), model, rehearse, clock=clock_at(), **options)


def save_and_load(folder: Path, model: FittedModel, threshold: float | None = None, **options: Any) -> LoadedModel:
    reference = save(folder, model, **options)
    return load_model(
        Location(uri=reference.uri),
        model.name,
        options.get("trusted_types", ()),
        manifest_digest=reference.digest,
        threshold=threshold,
    )
