"""What a Model sees: every feature as one column of double precision numbers or of strings, with one rule for nulls.

| feature type | column | null |
|---|---|---|
| Integer, Float | the number | NaN |
| Boolean | 0 or 1 | NaN |
| Timestamp | seconds since 1970-01-01 UTC; without a zone it is UTC | NaN |
| Date | days since 1970-01-01 | NaN |
| String | the text | `MISSING` |

Training fits on these columns, and every prediction goes through the same rule, because ONNX strings know no null and
because a number that is a float32 on one side only may fall on the other side of a tree's threshold.

pandas is imported by the functions that take or give a frame, never by the others: the server does without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec

if TYPE_CHECKING:
    import pandas as pd

MISSING = "␀"  # U+2400, the symbol for null: one character, visible in a report, and hardly ever a value

Columns = dict[str, NDArray[Any]]

_EPOCH = date(1970, 1, 1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def is_text(feature: FeatureSpec) -> bool:
    """Return whether the feature reaches the Model as strings (otherwise as doubles)."""
    return feature.type == "String"


def column_of(feature: FeatureSpec, values: Iterable[Any]) -> NDArray[Any]:
    """Return Python values of one feature, None for null, as the column that the Model sees, of shape (rows,)."""
    if is_text(feature):
        texts = [MISSING if value is None else value for value in values]
        return _objects(texts)
    if feature.type == "Timestamp":
        return np.array([None if value is None else seconds(value) for value in values], dtype=np.float64)
    if feature.type == "Date":
        return np.array([None if value is None else days(value) for value in values], dtype=np.float64)
    return np.array(list(values), dtype=np.float64)


def seconds(moment: datetime) -> float:
    """Return the seconds since 1970-01-01 UTC; a moment without a zone is UTC."""
    # From whole microseconds, as `_moments` does, so that both round alike; `timestamp()` may differ in the last bit.
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _START) // _MICROSECOND / 1e6


def days(day: date) -> float:
    """Return the days since 1970-01-01."""
    return float((day - _EPOCH).days)


def columns_of_frame(frame: "pd.DataFrame", features: Sequence[FeatureSpec]) -> Columns:
    """Return the features of a frame as the columns that the Model sees; refuse a missing column by its name."""
    absent = [feature.name for feature in features if feature.name not in frame.columns]
    if absent:
        raise Refused(f"The table has no column {', '.join(absent)}, which the Model was trained on.")
    return {feature.name: _series(feature, frame[feature.name]) for feature in features}


def frame_of_columns(columns: Mapping[str, NDArray[Any]], features: Sequence[FeatureSpec]) -> "pd.DataFrame":
    """Return the columns as the frame that scikit-learn is fitted on and predicts from, in the features' order."""
    import pandas as pd

    data = {
        feature.name: pd.Series(columns[feature.name], dtype=object if is_text(feature) else np.float64)
        for feature in features
    }
    return pd.DataFrame(data, columns=[feature.name for feature in features])


def model_frame(frame: "pd.DataFrame", features: Sequence[FeatureSpec]) -> "pd.DataFrame":
    """Return the frame to fit on: the features in order, numbers as float64, strings as objects, nulls by the rule."""
    return frame_of_columns(columns_of_frame(frame, features), features)


def _series(feature: FeatureSpec, series: "pd.Series[Any]") -> NDArray[Any]:
    import pandas as pd

    if is_text(feature):
        null = series.isna().to_numpy()
        return _objects([MISSING if absent else str(value) for value, absent in zip(series.array, null, strict=True)])
    try:
        if feature.type in ("Timestamp", "Date"):
            return _moments(series, 1e6 if feature.type == "Timestamp" else 86400e6)
        return np.asarray(pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise Refused(f"Column {feature.name} is not {feature.type}, as the Model needs it: {error}.") from error


def _moments(series: "pd.Series[Any]", unit: float) -> NDArray[np.float64]:
    """Return moments or days as numbers of a unit (in microseconds) since 1970-01-01 UTC, NaN for null."""
    import pandas as pd

    moments = pd.to_datetime(series, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / unit)


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
