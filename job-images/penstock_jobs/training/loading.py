"""From the tables to the rows that training works on."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.logs import log
from penstock_jobs.models.inputs import column_of, model_frame
from penstock_jobs.reading.values import EXACT
from penstock_jobs.scoring import order_classes
from penstock_jobs.tables.columns import FOLD, GROUP
from penstock_jobs.tables.reading import read_frame
from penstock_jobs.training.data import TrainingData
from penstock_jobs.training.features import choose_features

MAXIMUM_LISTED_CATEGORIES = 1000


def load(job: TrainingJob) -> tuple[TrainingData, pd.DataFrame]:
    """Read both tables; return the rows, and the validation set as read (with folds, the training set)."""
    chosen = choose_features(job)
    names = [column.name for column in chosen]
    others = [column.name for column in job.columns if column.role == "Weight" or column.name == job.split.time_column]
    wanted = list(dict.fromkeys([*names, *others, job.target.column, FOLD, GROUP]))
    training = read_frame(job.training, job.storage, wanted)
    if len(training) == 0:
        raise Refused(f"The training table {job.training.uri} has no rows; lower the share for testing or add data.")
    validation = read_frame(job.validation, job.storage, wanted) if job.validation_rule.folds is None else training[:0]
    if job.validation_rule.folds is None and len(validation) == 0:
        raise Refused(f"The validation table {job.validation.uri} has no rows; raise the holdout or use folds.")
    rows = pd.concat([training, validation], ignore_index=True) if len(validation) else training
    features = _features(chosen, training)
    _refuse_inexact(rows, features)
    data = TrainingData(
        features=features,
        frame=model_frame(rows, features),
        target=_target(rows, job),
        classes=(),
        weight=_weight(rows, job),
        draw=_draws(rows),
        time=_time(rows, job),
        training_rows=len(training),
    )
    validated = (validation if len(validation) else training)[[feature.name for feature in features]]
    return (_add_classes(data, job) if job.task == "Classification" else data), validated


def _features(chosen: tuple[Column, ...], training: pd.DataFrame) -> tuple[FeatureSpec, ...]:
    empty = [column.name for column in chosen if training[column.name].isna().all()]
    if empty:
        log.warning("Columns without any value in training are left out: %s.", ", ".join(empty))
    features = tuple(
        FeatureSpec(
            name=column.name,
            type=column.type,
            nullable=bool(training[column.name].isna().any()),
            categories=_categories(training[column.name]) if column.type == "String" else (),
            null_texts=("",) if column.type == "String" and not (training[column.name] == "").any() else (),
        )
        for column in chosen
        if column.name not in empty
    )
    if not features:
        raise Refused("No column has any value in the training table.")
    return features


def _refuse_inexact(rows: pd.DataFrame, features: tuple[FeatureSpec, ...]) -> None:
    """Refuse whole numbers of which two would be one: a Model sees doubles."""
    for feature in features:
        if feature.type == "Integer" and (rows[feature.name].abs() >= EXACT).any():
            raise Refused(
                f"The feature {feature.name} has whole numbers beyond 2^53, of which a Model could not tell all apart; "
                "leave it out (spec.training.features.exclude), or give it the type String (`types` of the input)."
            )


def _categories(series: "pd.Series[str]") -> tuple[str, ...]:
    values = sorted(series.dropna().unique())
    return tuple(values) if len(values) <= MAXIMUM_LISTED_CATEGORIES else ()


def _target(rows: pd.DataFrame, job: TrainingJob) -> npt.NDArray[np.generic]:
    series = rows[job.target.column]
    if series.isna().any():
        raise Refused(f"The target {job.target.column} has {int(series.isna().sum())} nulls; leave such rows out.")
    kind = next(column.type for column in job.columns if column.name == job.target.column)
    if job.task == "Regression":
        if kind not in ("Integer", "Float"):
            raise Refused(f"The target {job.target.column} is of type {kind}; a regression needs numbers.")
        return series.to_numpy(dtype=np.float64)
    if kind == "String":
        return np.array(series.tolist(), dtype=str)
    if kind == "Boolean":
        return series.to_numpy(dtype=bool)
    if kind in ("Integer", "Float"):
        return series.to_numpy()
    raise Refused(f"The target {job.target.column} is of type {kind}, which has no classes.")


def _add_classes(data: TrainingData, job: TrainingJob) -> TrainingData:
    classes = order_classes(data.target[: data.training_rows])
    if len(classes) < 2:
        raise Refused(f"The target {job.target.column} is always {classes[0]} in training; there is nothing to learn.")
    strangers = set(order_classes(data.target)) - set(classes)
    if strangers:
        raise Refused(f"Class {sorted(map(str, strangers))[0]} of {job.target.column} is in validation only.")
    return replace(data, classes=classes)


def _weight(rows: pd.DataFrame, job: TrainingJob) -> npt.NDArray[np.float64] | None:
    names = [column.name for column in job.columns if column.role == "Weight"]
    if not names:
        return None
    weight = rows[names[0]].to_numpy(dtype=np.float64)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise Refused(f"The weight column {names[0]} has values that are null, negative or not finite.")
    if not weight.any():
        raise Refused(f"The weight column {names[0]} is 0 in every row.")
    return weight


def _draws(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """Return each row's own draw, or its group's: the group's identity, which is a hash already."""
    own = rows[FOLD].to_numpy(dtype=np.int64).view(np.uint64)
    groups = rows[GROUP]
    if groups.isna().all():
        return own
    return np.array(
        [
            draw if group is None else int(group) % 2**64
            for draw, group in zip(own.tolist(), groups.where(groups.notna(), None), strict=True)
        ],
        dtype=np.uint64,
    )


def _time(rows: pd.DataFrame, job: TrainingJob) -> npt.NDArray[np.float64] | None:
    name = job.split.time_column
    if job.split.strategy != "Time" or name is None or name not in rows.columns:
        return None
    kind = next(column.type for column in job.columns if column.name == name)
    if kind in ("Integer", "Float"):
        return rows[name].to_numpy(dtype=np.float64)
    moments = pd.to_datetime(rows[name], utc=True)
    return column_of(FeatureSpec(name=name, type="Timestamp"), [moment.to_pydatetime() for moment in moments])
