"""Predictions for whole files: read in chunks by DuckDB, answered by the server's code, written whole or not at all.

The output has the input's columns as they are written, then `prediction`, and for a classifier with probabilities one
column a class, `probability_<class>`. The features are read as the Model's own input was, from the reading in its
manifest. Memory does not grow with the input.
"""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.reading import ColumnReading
from penstock_jobs.logs import report_progress
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.reading.formats import ENDINGS, format_of
from penstock_jobs.reading.model_rules import feature_readings, rules_for_model
from penstock_jobs.reading.raw import RawTable, as_written, is_misfit, open_parquet, open_text, refuse_misfit
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import connect, explain_duckdb_errors

if TYPE_CHECKING:
    import pandas as pd

_WRITERS = {
    ".csv": "FORMAT csv, HEADER",
    ".tsv": "FORMAT csv, HEADER, DELIMITER '\\t'",
    ".jsonl": "FORMAT json",
    ".ndjson": "FORMAT json",
    ".parquet": "FORMAT parquet",
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
        source: CSV, TSV, JSON lines or Parquet, by its ending; text may be compressed (`.gz`, `.zst`); may be a glob.
        output: CSV, TSV, JSON lines or Parquet, by its ending.
        threads: for reading.

    Raises:
        Refused: in a sentence that names a missing column, a value of the wrong type, or a file that cannot be read.
    """
    if format_of(source.name) is None:
        raise Refused(f"{source} cannot be read: the ending must be one of {', '.join(ENDINGS)}.")
    writer = _WRITERS.get(output.suffix.lower())
    if writer is None:
        raise Refused(f"{output} cannot be written: the ending must be one of {', '.join(_WRITERS)}.")
    files = tuple(Path(name) for name in sorted(glob.glob(str(source))))
    if not files:
        raise Refused(f"There is no file {source}.")
    if output.exists() and any(output.samefile(file) for file in files):
        raise Refused(f"{output} is the file to read; name another file to write.")
    with tempfile.TemporaryDirectory(prefix="penstock-predict-") as folder:
        scratch = Path(folder)
        with connect(scratch, None, threads) as database:
            table = _open(database, model, files, source)
            _require_features(model, table, source)
            given, parts = scratch / "given.parquet", scratch / "parts"
            _read(database, model, table, given)
            parts.mkdir()
            rows = _predict_chunks(database, model, given, parts)
        if rows == 0:
            raise Refused(f"{source} has no rows.")
        _combine(table, given, parts, output, writer)
    return BatchResult(rows, output)


def _open(database: duckdb.DuckDBPyConnection, model: LoadedModel, files: tuple[Path, ...], source: Path) -> RawTable:
    rules = rules_for_model(model.manifest, source.name)
    open_table = open_parquet if rules.format == "Parquet" else open_text
    try:
        return open_table(database, files, rules, str(source))
    except duckdb.Error as error:
        raise Refused(f"{source} is not a table that can be read: {_first_line(error)}.") from error


def _require_features(model: LoadedModel, table: RawTable, source: Path) -> None:
    absent = [feature.name for feature in model.manifest.features if feature.name not in table.stored]
    if absent:
        delimiter = table.reading.delimiter
        single = delimiter is not None and len(table.stored) == 1
        raise Refused(
            f"{source} has no column {', '.join(absent)}, which the Model {model.manifest.name} needs; "
            f"it has {', '.join(list(table.stored)[:20])}"
            f"{f', read with {delimiter!r} between its values, as the input of the Model' if single else ''}."
        )
    taken = [name for name in _prediction_columns(model) if name in table.stored]
    if taken:
        raise Refused(f"{source} has a column {taken[0]} already, where the prediction would go; rename it.")


def _read(database: duckdb.DuckDBPyConnection, model: LoadedModel, table: RawTable, given: Path) -> None:
    """Write the columns as they are, and the features with the types that the Model needs."""
    columns = feature_readings(model.manifest)
    listed = [f'{as_written(table, name)} AS "kept_{position}"' for position, name in enumerate(table.stored)]
    listed += [f'{_feature(table, column)} AS "feature_{position}"' for position, column in enumerate(columns)]
    with explain_duckdb_errors(table.words):
        try:
            database.execute(
                f"COPY (SELECT {', '.join(listed)} FROM {table.relation}) TO {quote_literal(str(given))} "
                "(FORMAT parquet, COMPRESSION lz4_raw)"
            )
        except duckdb.InvalidInputException as error:
            if is_misfit(error):
                refuse_misfit(database, table, columns)
            raise


def _feature(table: RawTable, column: ColumnReading) -> str:
    value = table.read_as(column).checked()
    return f"CAST({value} AS TIMESTAMP)" if column.type == "Timestamp" else value


def _predict_chunks(database: duckdb.DuckDBPyConnection, model: LoadedModel, given: Path, parts: Path) -> int:
    """Write the predictions of all rows, a file a chunk; return how many rows there are."""
    names = [feature.name for feature in model.manifest.features]
    listed = ", ".join(f'"feature_{position}"' for position in range(len(names)))
    database.execute(f"SELECT {listed} FROM read_parquet({quote_literal(str(given))})")
    rows = 0
    for number, frame in enumerate(_chunks(database)):
        _write(_predict_chunk(model, frame.set_axis(names, axis=1)), parts / f"{number:08d}.parquet")
        rows += len(frame)
        report_progress(rows, None, f"{rows} rows predicted")
    return rows


def _chunks(database: duckdb.DuckDBPyConnection) -> Iterator["pd.DataFrame"]:
    while len(frame := database.fetch_df_chunk(_VECTORS)):
        yield frame


def _predict_chunk(model: LoadedModel, features: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    predictions = model.predict_frame(features)
    added = {"prediction": predictions.labels}
    if predictions.probabilities is not None:
        added.update(zip(_prediction_columns(model)[1:], predictions.probabilities.T, strict=True))
    return pd.DataFrame(added, index=features.index)


def _prediction_columns(model: LoadedModel) -> list[str]:
    return ["prediction", *(f"probability_{name}" for name in model.manifest.classes)]


def _write(frame: "pd.DataFrame", path: Path) -> None:
    with duckdb.connect() as database:
        database.register("answered", frame)
        database.execute(f"COPY answered TO {quote_literal(str(path))} (FORMAT parquet)")


def _combine(table: RawTable, given: Path, parts: Path, output: Path, writer: str) -> None:
    """Write rows and predictions to one file beside the output, and put it in its place when it is whole."""
    names = [f'"kept_{position}" AS {quote_identifier(name)}' for position, name in enumerate(table.stored)]
    rows = f"(SELECT {', '.join(names)} FROM read_parquet({quote_literal(str(given))}))"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".penstock-part-", dir=output.parent)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}.") from error
    os.close(descriptor)
    try:
        with connect(parts, None, 1) as database:  # one thread: both files in the order of the rows
            predictions = f"read_parquet({quote_literal(str(parts / '*.parquet'))})"
            query = f"FROM {rows} POSITIONAL JOIN {predictions}"
            database.execute(f"COPY ({query}) TO {quote_literal(name)} ({writer})")
        os.replace(name, output)
    except (OSError, duckdb.Error) as error:
        raise Unavailable(f"{output} cannot be written: {_first_line(error)}.") from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
