"""The rows on which a file is compared with its estimator: the whole validation set, and rows that it may not hold.

Those are a null in each feature, and a category that no training row had: what a server meets sooner or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from penstock_jobs.errors import Refused
from penstock_jobs.manifest import Feature
from penstock_jobs.models.inputs import MISSING, Columns, columns_of_frame, is_text
from penstock_jobs.models.predictors import Predictor

if TYPE_CHECKING:
    import pandas as pd

UNSEEN = "\u2047 no category"


@dataclass(frozen=True)
class Probes:
    """The rows to compare on, and what the estimator answers to at all.

    Attributes:
        columns: the validation set, then a row for each null and each unseen category that the estimator answers to.
        features: with `nullable` as it was found.
        refused_categories: the string features of which the estimator refuses an unseen category.
    """

    columns: Columns
    features: tuple[Feature, ...]
    refused_categories: tuple[str, ...]


def probes_of(estimator: Predictor, features: Sequence[Feature], validation: "pd.DataFrame") -> Probes:
    """Return the rows to compare on."""
    columns = columns_of_frame(validation, features)
    rows: list[Columns] = [columns]
    found = []
    refused = []
    for feature in features:
        null = _with(columns, feature, MISSING if is_text(feature) else np.nan)
        nullable = _answers(estimator, null)
        if nullable:
            rows.append(null)
        found.append(msgspec.structs.replace(feature, nullable=nullable))
        if is_text(feature):
            unseen = _with(columns, feature, UNSEEN)
            if _answers(estimator, unseen):
                rows.append(unseen)
            else:
                refused.append(feature.name)
    joined = {feature.name: np.concatenate([part[feature.name] for part in rows]) for feature in features}
    return Probes(joined, tuple(found), tuple(refused))


def _with(columns: Columns, feature: Feature, value: object) -> Columns:
    """Return the first row with one value replaced."""
    row = {name: column[:1].copy() for name, column in columns.items()}
    row[feature.name][0] = value
    return row


def _answers(estimator: Predictor, columns: Columns) -> bool:
    try:
        raw = estimator(columns)
    except Refused:
        return False
    number = next(name for name in ("probabilities", "decision", "value") if name in raw)
    return bool(np.isfinite(np.asarray(raw[number], dtype=np.float64)).all())
