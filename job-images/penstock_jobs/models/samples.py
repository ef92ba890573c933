"""Rows of the validation set with the Model's answers, recorded in its manifest: the server's self-test and example."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock_jobs.contract.manifest import FeatureSpec, Sample
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.reading.values import text_of

if TYPE_CHECKING:
    import pandas as pd

COUNT = 5
_SEARCHED = 1000


def samples_of(model: LoadedModel, validation: "pd.DataFrame") -> tuple[Sample, ...]:
    """Return the first rows, as JSON values, with what the file to be served answers to each."""
    frame, rows = rows_for_json(model.manifest.features, validation)
    if not rows:
        return ()
    predictions = model.predict_frame(frame)
    labels = predictions.labels.tolist()
    probabilities = [()] * len(labels) if predictions.probabilities is None else predictions.probabilities.tolist()
    return tuple(
        Sample(row=row, prediction=labels[position], probabilities=tuple(probabilities[position]))
        for position, row in enumerate(rows)
    )


def rows_for_json(
    features: Sequence[FeatureSpec], frame: "pd.DataFrame"
) -> tuple["pd.DataFrame", list[dict[str, Any]]]:
    """Return the first rows that JSON can say, for it has no infinite number, as they are and as JSON values."""
    floats = [feature.name for feature in features if feature.type == "Float"]
    begin = frame.head(_SEARCHED)
    infinite = np.isinf(begin[floats].to_numpy(dtype=np.float64, na_value=np.nan)).any(axis=1)
    sayable = begin[~infinite].head(COUNT)
    return sayable, [
        {feature.name: json_value(feature, sayable[feature.name].iloc[position]) for feature in features}
        for position in range(len(sayable))
    ]


def json_value(feature: FeatureSpec, value: Any) -> Any:
    """Return a value of a frame as JSON has it: None for null, ISO 8601 for moments and days."""
    import pandas as pd

    if value is None or bool(pd.isna(value)):
        return None
    if feature.type == "Integer":
        return int(value)
    if feature.type == "Float":
        return float(value)
    if feature.type == "Boolean":
        return bool(value)
    if feature.type == "Timestamp":
        moment: datetime = pd.Timestamp(value).to_pydatetime()
        return moment.isoformat()
    if feature.type == "Date":
        day: date = pd.Timestamp(value).date()
        return day.isoformat()
    return text_of(value)
