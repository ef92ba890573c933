"""Rows of the validation set with the Model's answers, recorded in its manifest: the server's self-test and example."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock_jobs.contract.manifest import FeatureSpec, Sample
from penstock_jobs.models.loading import LoadedModel

if TYPE_CHECKING:
    import pandas as pd

COUNT = 5


def samples_of(model: LoadedModel, validation: "pd.DataFrame") -> tuple[Sample, ...]:
    """Return the first rows, as JSON values, with what the file to be served answers to each."""
    frame = validation.head(COUNT)
    predictions = model.predict_frame(frame)
    labels = predictions.labels.tolist()
    probabilities = [()] * len(labels) if predictions.probabilities is None else predictions.probabilities.tolist()
    return tuple(
        Sample(
            row={
                feature.name: json_value(feature, frame[feature.name].iloc[position])
                for feature in model.manifest.features
            },
            prediction=labels[position],
            probabilities=tuple(probabilities[position]),
        )
        for position in range(len(frame))
    )


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
    return str(value) if not isinstance(value, np.str_) else value.item()
