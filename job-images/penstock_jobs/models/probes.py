"""The rows on which a file is compared with its estimator: the whole validation set, and rows that it may not hold.

Those are a null in each feature, and a category that no training row had: what a server meets sooner or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
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
    features: tuple[FeatureSpec, ...]
    refused_categories: tuple[str, ...]


def probes_of(estimator: Predictor, features: Sequence[FeatureSpec], validation: "pd.DataFrame") -> Probes:
    """Return the rows to compare on."""
    columns = columns_of_frame(validation, features)
    texts = [feature for feature in features if is_text(feature)]
    nulls = _vary_first_row(columns, [(feature.name, MISSING if is_text(feature) else np.nan) for feature in features])
    unseen = _vary_first_row(columns, [(feature.name, UNSEEN) for feature in texts])
    nullable = _find_answerable(estimator, nulls, len(features))
    taken = _find_answerable(estimator, unseen, len(texts))
    return Probes(
        {
            name: np.concatenate([column, nulls[name][nullable], unseen[name][taken]])
            for name, column in columns.items()
        },
        tuple(
            msgspec.structs.replace(feature, nullable=bool(answered))
            for feature, answered in zip(features, nullable, strict=True)
        ),
        tuple(feature.name for feature, answered in zip(texts, taken, strict=True) if not answered),
    )


def _vary_first_row(columns: Columns, changes: Sequence[tuple[str, object]]) -> Columns:
    """Return the first row once for each change, with that one value replaced."""
    rows = {name: np.repeat(column[:1], len(changes)) for name, column in columns.items()}
    for position, (name, value) in enumerate(changes):
        rows[name][position] = value
    return rows


def _find_answerable(estimator: Predictor, rows: Columns, count: int) -> NDArray[np.bool_]:
    """Return which rows the estimator answers with numbers: all in one go, one by one only if it refuses that."""
    if not count:
        return np.zeros(0, dtype=bool)
    try:
        raw = estimator(rows)
    except Refused:
        if count == 1:
            return np.zeros(1, dtype=bool)
        alone = [{name: column[place : place + 1] for name, column in rows.items()} for place in range(count)]
        return np.concatenate([_find_answerable(estimator, row, 1) for row in alone])
    number = next(name for name in ("probabilities", "decision", "value") if name in raw)
    finite = np.isfinite(np.asarray(raw[number], dtype=np.float64).reshape(count, -1))
    return np.asarray(finite.all(axis=1))
