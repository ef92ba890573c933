"""Frames that a person has: texts in them are read as those of the Model's own input were."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.reading import ColumnReading, InputReading
from penstock_jobs.reading.model_rules import feature_readings
from penstock_jobs.reading.raw import open_relation, refuse_misfit, select
from penstock_jobs.reading.values import text_of
from penstock_jobs.tables.columns import quote_identifier
from penstock_jobs.tables.engine import connect

if TYPE_CHECKING:
    import pandas as pd


def read_features(frame: "pd.DataFrame", manifest: ModelManifest) -> "pd.DataFrame":
    """Return the frame with the Model's features as values of their types; a column that is not there stays away.

    Raises:
        Refused: a text is no value of the type of its feature, in a sentence with row and column.
    """
    rules = manifest.reading or InputReading(format="CSV")
    read = {
        column.name: _read_series(frame[column.name], column, rules)
        for column in feature_readings(manifest)
        if column.name in frame.columns
    }
    return frame.assign(**read)


def _read_series(series: "pd.Series[Any]", column: ColumnReading, rules: InputReading) -> "pd.Series[Any]":
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series.dtype) and column.type != "String":
        return series.mask(series.isin(_null_numbers(rules))) if _null_numbers(rules) else series
    if column.type != "String" and not any(isinstance(value, str) for value in series.array):
        return series
    texts = [
        None if absent else text_of(value) for value, absent in zip(series.array, series.isna().array, strict=True)
    ]
    if column.type == "String":
        return pd.Series([None if text in rules.null_texts else text for text in texts], series.index, dtype=object)
    return _parse(texts, column, rules).set_axis(series.index)


def _null_numbers(rules: InputReading) -> list[float]:
    numbers = []
    for text in rules.null_texts:
        try:
            numbers.append(float(text))
        except ValueError:
            continue
    return numbers


def _parse(texts: list[str | None], column: ColumnReading, rules: InputReading) -> "pd.Series[Any]":
    with TemporaryDirectory(prefix="penstock-") as folder, connect(Path(folder), None, 1) as connection:
        named = quote_identifier(column.name)
        connection.execute(f"CREATE TABLE texts AS SELECT unnest(CAST(? AS VARCHAR[])) AS {named}", [texts])
        table = open_relation(connection, "texts", rules, "The table")
        refuse_misfit(connection, table, [column])
        return connection.execute(select(table, [column])).df()[column.name]
