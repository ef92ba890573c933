"""What a Model sees: every feature as one column of double precision numbers or of strings, with one rule for nulls.

| feature type | column | null |
|---|---|---|
| Integer, Float | the number | NaN |
| Boolean | 0 or 1 | NaN |
| Timestamp | seconds since 1970-01-01 UTC; without a zone it is UTC | NaN |
| Date | days since 1970-01-01 | NaN |
| String | the text | `MISSING` |

What a value of JSON, of a frame or of a text means is said by `values`, and which of them mean null by the feature
(`FeatureSpec.null_texts`): the empty text, where the training table holds none, as one that was read from CSV, where
the two cannot be told apart.

Training fits on these columns, and every prediction goes through the same rule, because ONNX strings know no null and
because a number that is a float32 on one side only may fall on the other side of a tree's threshold.

pandas is imported by the functions that take or give a frame, never by the others: the server does without it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.reading.values import EXACT, WrongValueError, read_value, text_of

if TYPE_CHECKING:
    import pandas as pd

MISSING = "␀"  # U+2400, the symbol for null: one character, visible in a report, and hardly ever a value

Columns = dict[str, NDArray[Any]]

_EPOCH = date(1970, 1, 1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_OF_MICROSECONDS = timedelta(days=1) // _MICROSECOND


def is_text(feature: FeatureSpec) -> bool:
    """Return whether the feature reaches the Model as strings (otherwise as doubles)."""
    return feature.type == "String"


def column_of(feature: FeatureSpec, values: Iterable[Any]) -> NDArray[Any]:
    """Return values of one feature as `read_value` gives them, None for null, as the Model sees them: shape (rows,)."""
    if is_text(feature):
        if feature.null_texts == ("",):
            return _objects([value or MISSING for value in values])
        nulls = (None, *feature.null_texts)
        return _objects([MISSING if value in nulls else value for value in values])
    if feature.type == "Timestamp":
        return np.array([None if value is None else seconds(value) for value in values], dtype=np.float64)
    if feature.type == "Date":
        return np.array([None if value is None else days(value) for value in values], dtype=np.float64)
    return without_null_numbers(feature, np.array(list(values), dtype=np.float64))


def without_null_numbers(feature: FeatureSpec, column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the column of an Integer or a Float with NaN in place of each number that means null."""
    numbers = _null_numbers(feature)
    return np.where(np.isin(column, numbers), np.nan, column) if numbers else column


def means_null(feature: FeatureSpec, value: Any) -> bool:
    """Return whether a value as `read_value` gives it is one that means null."""
    if is_text(feature):
        return value in feature.null_texts
    return feature.type in ("Integer", "Float") and value in _null_numbers(feature)


def _null_numbers(feature: FeatureSpec) -> list[float]:
    numbers = []
    for text in feature.null_texts:
        with suppress(ValueError):
            numbers.append(float(text))
    return numbers


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
        return column_of(feature, _texts(series))
    if feature.type in ("Timestamp", "Date"):
        return _moments(feature, series)
    try:
        column = np.asarray(pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise Refused(f"Column {feature.name} is not {feature.type}, as the Model needs it: {error}.") from error
    if feature.type == "Integer":
        _check_whole(feature, series, column)
    return without_null_numbers(feature, column)


def _texts(series: "pd.Series[Any]") -> list[str | None]:
    null = series.isna().to_numpy()
    return [
        None if absent else value if type(value) is str else text_of(value)
        for value, absent in zip(series.array, null, strict=True)
    ]


def _check_whole(feature: FeatureSpec, series: "pd.Series[Any]", column: NDArray[np.float64]) -> None:
    """Refuse a fraction, and a whole number that a double does not hold: JSON may have another one for it."""
    doubtful = (column != np.floor(column)) | (np.abs(column) >= EXACT)
    for row in np.flatnonzero(doubtful & ~np.isnan(column)):
        _read_in_frame(feature, int(row), series.iloc[int(row)])


def _moments(feature: FeatureSpec, series: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return moments or days as numbers of seconds or days since 1970-01-01 UTC, NaN for null."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(series.dtype):
        null = series.isna().to_numpy()
        read = [
            None if absent else _read_in_frame(feature, row, value)
            for row, (value, absent) in enumerate(zip(series.array, null, strict=True))
        ]
        return column_of(feature, read)
    moments = pd.to_datetime(series, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    null = np.isnat(moments)
    counts = moments.astype(np.int64)
    if feature.type == "Timestamp":
        return np.where(null, np.nan, counts / 1e6)
    for row in np.flatnonzero((counts % _DAY_OF_MICROSECONDS != 0) & ~null)[:1]:
        _read_in_frame(feature, int(row), moments[row].item())
    return np.where(null, np.nan, counts / _DAY_OF_MICROSECONDS)


def _read_in_frame(feature: FeatureSpec, row: int, value: Any) -> Any:
    try:
        return read_value(feature.type, value.item() if isinstance(value, np.datetime64) else value)
    except WrongValueError as error:
        raise Refused(f"Row {row}, column {feature.name}: {error}.") from error


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
