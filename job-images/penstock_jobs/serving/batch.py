"""Predictions for whole files: read in chunks by DuckDB, answered by the server's code, written whole or not at all.

The output has the input's columns, then `prediction`, and for a classifier with probabilities one column a class,
`probability_<class>`. Memory does not grow with the input.
"""

import glob
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.logs import report_progress
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.tables.engine import explain_duckdb_errors
from penstock_jobs.tables.text_table import WHOLE_FILE, check_header

if TYPE_CHECKING:
    import pandas as pd

_READERS = {
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
    ".json": "read_json",
    ".parquet": "read_parquet",
}
_WRITERS = {
    ".csv": "FORMAT csv, HEADER",
    ".tsv": "FORMAT csv, HEADER, DELIMITER '\\t'",
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
    ".parquet": "FORMAT parquet",
}
_SQL_TYPES = {
    "Integer": "DOUBLE",  # a cast to BIGINT would round a fraction, silently; see `_check_whole`
    "Float": "DOUBLE",
    "Boolean": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP",
    "Date": "DATE",
}
# What DuckDB says of a value that does not fit, and what a person calls it.
_KINDS = {
    "to DOUBLE": "a number",
    "to BOOL": "true or false",
    "timestamp field": "a moment, as 2026-05-31 14:30:00",
    "date field": "a date, as 2026-05-31",
}
_VECTORS = 50  # of 2,048 rows, DuckDB's own measure


@dataclass(frozen=True)
class BatchResult:
    """How many rows were predicted, and where they are."""

    rows: int
    output: Path


def predict_file(model: LoadedModel, source: Path, output: Path, *, threads: int = 1) -> BatchResult:
    """Predict every row of a file (or of a glob of files) and write it to another.

    Args:
        model: from `load_model`.
        source: CSV, TSV, JSON lines or Parquet, by its ending; may be a glob.
        output: CSV, TSV, JSON lines or Parquet, by its ending.
        threads: for reading.

    Raises:
        Refused: in a sentence that names a missing column, a value of the wrong type, or a file that cannot be read.
    """
    reader = _find_by_ending(_READERS, source, "read")
    writer = _find_by_ending(_WRITERS, output, "written")
    if not glob.glob(str(source)):
        raise Refused(f"There is no file {source}.")
    if output.exists() and any(output.samefile(name) for name in glob.glob(str(source))):
        raise Refused(f"{output} is the file to read; name another file to write.")
    with (
        tempfile.TemporaryDirectory(prefix="penstock-predict-") as folder,
        duckdb.connect(config=_settings(threads)) as database,
    ):
        relation = f"{reader}({_quote_literal(str(source))}{_options(model, reader)})"
        columns = _columns(database, relation, source)
        _require_features(model, columns, source)
        parts = Path(folder)
        rows = 0
        for number, frame in enumerate(_chunks(database, _select_query(model, columns, relation), source)):
            _write(_predict_chunk(model, frame, columns, source), parts / f"{number:08d}.parquet")
            rows += len(frame)
            report_progress(rows, None, f"{rows} rows predicted")
        if rows == 0:
            raise Refused(f"{source} has no rows.")
        _combine(parts, output, writer)
    return BatchResult(rows, output)


def _settings(threads: int) -> dict[str, Any]:
    # No extension may be fetched while a job runs.
    return {"threads": threads, "autoinstall_known_extensions": False, "preserve_insertion_order": True}


def _find_by_ending(known: dict[str, str], path: Path, done: str) -> str:
    ending = path.suffix.lower()
    if ending not in known:
        raise Refused(f"{path} cannot be {done}: the ending must be one of {', '.join(known)}.")
    return known[ending]


def _options(model: LoadedModel, reader: str) -> str:
    """Return the arguments that hold strings as they are: a code such as 007 must not become a number on the way."""
    if reader != "read_csv":
        return ""
    return f", all_varchar = true, {WHOLE_FILE}"


def _columns(database: duckdb.DuckDBPyConnection, relation: str, source: Path) -> list[str]:
    try:
        with explain_duckdb_errors(str(source)):
            if relation.startswith("read_csv"):
                for name in sorted(glob.glob(str(source))):
                    check_header(database, Path(name), name, "\t" if source.suffix.lower() == ".tsv" else None)
            return [str(row[0]) for row in database.execute(f"DESCRIBE FROM {relation}").fetchall()]
    except duckdb.Error as error:
        raise Refused(f"{source} is not a table that can be read: {_first_line(error)}.") from error


def _require_features(model: LoadedModel, columns: list[str], source: Path) -> None:
    absent = [feature.name for feature in model.manifest.features if feature.name not in columns]
    if absent:
        raise Refused(
            f"{source} has no column {', '.join(absent)}, which the Model {model.manifest.name} needs; "
            f"it has {', '.join(columns[:20])}."
        )
    taken = [name for name in _prediction_columns(model) if name in columns]
    if taken:
        raise Refused(f"{source} has a column {taken[0]} already, where the prediction would go; rename it.")


def _select_query(model: LoadedModel, columns: list[str], relation: str) -> str:
    """Return the query for the columns as they are, then the features with the types that the Model needs."""
    kept = [f'"{_double_quotes(name)}" AS "kept_{position}"' for position, name in enumerate(columns)]
    features = [
        f'CAST("{_double_quotes(feature.name)}" AS {_SQL_TYPES[feature.type]}) AS "feature_{position}"'
        for position, feature in enumerate(model.manifest.features)
    ]
    return f"SELECT {', '.join(kept + features)} FROM {relation}"  # noqa: S608 - every name in it is quoted


def _chunks(database: duckdb.DuckDBPyConnection, query: str, source: Path) -> Iterator["pd.DataFrame"]:
    try:
        database.execute(query)
        while len(frame := database.fetch_df_chunk(_VECTORS)):
            yield frame
    except duckdb.InvalidInputException:
        with explain_duckdb_errors(str(source)):
            raise
    except duckdb.ConversionException as error:
        raise Refused(f"{source} has a value of the wrong type: {_wrong_value(error)}.") from error
    except duckdb.Error as error:
        raise Refused(f"{source} cannot be read: {_first_line(error)}.") from error


def _predict_chunk(model: LoadedModel, frame: "pd.DataFrame", columns: list[str], source: Path) -> "pd.DataFrame":
    import pandas as pd

    names = [feature.name for feature in model.manifest.features]
    features = frame[[f"feature_{position}" for position in range(len(names))]].set_axis(names, axis=1)
    _check_whole(model, features, source)
    predictions = model.predict_frame(features)
    answer = frame[[f"kept_{position}" for position in range(len(columns))]].set_axis(columns, axis=1)
    added = {"prediction": predictions.labels}
    if predictions.probabilities is not None:
        added.update(zip(_prediction_columns(model)[1:], predictions.probabilities.T, strict=True))
    return pd.concat([answer, pd.DataFrame(added, index=frame.index)], axis=1)


def _check_whole(model: LoadedModel, features: "pd.DataFrame", source: Path) -> None:
    for feature in model.manifest.features:
        if feature.type == "Integer":
            column = features[feature.name]
            broken = column[column.notna() & (column % 1 != 0)]
            if len(broken):
                raise Refused(f"{source}, column {feature.name}: needs whole numbers, and has {broken.iloc[0]:g}.")


def _prediction_columns(model: LoadedModel) -> list[str]:
    return ["prediction", *(f"probability_{name}" for name in model.manifest.classes)]


def _write(frame: "pd.DataFrame", path: Path) -> None:
    with duckdb.connect() as database:
        database.register("answered", frame)
        database.execute(f"COPY answered TO {_quote_literal(str(path))} (FORMAT parquet)")


def _combine(parts: Path, output: Path, writer: str) -> None:
    """Write the parts to one file beside the output, and put it in its place when it is whole."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".penstock-part-", dir=output.parent)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}.") from error
    os.close(descriptor)
    try:
        with duckdb.connect(config=_settings(1)) as database:
            query = f"FROM read_parquet({_quote_literal(str(parts / '*.parquet'))})"
            database.execute(f"COPY ({query}) TO {_quote_literal(name)} ({writer})")
        os.replace(name, output)
    except (OSError, duckdb.Error) as error:
        raise Unavailable(f"{output} cannot be written: {_first_line(error)}.") from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")


def _wrong_value(error: duckdb.ConversionException) -> str:
    """Return which value of which column it is, in the words that a person has for types."""
    text = _first_line(error).removeprefix("Conversion Error: ")
    value = re.search(r"""(?:'(.*)'|"(.*?)").* when casting from source column (.*)""", text)
    kind = next((words for sign, words in _KINDS.items() if sign in text), None)
    if value is None or kind is None:
        return text
    return f"'{value[1] or value[2] or ''}' in the column {value[3]} is not {kind}"


def _quote_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double_quotes(name: str) -> str:
    return name.replace('"', '""')
