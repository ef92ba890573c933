"""From raw columns to typed ones: text is parsed once, into a file; what has types is cast where the rules say so."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.reading import ColumnReading, ColumnType
from penstock_jobs.reading.discovery import discover
from penstock_jobs.reading.expressions import without_null_numbers, without_null_texts
from penstock_jobs.reading.raw import RawTable, is_misfit, refuse_misfit, select
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.engine import explain_duckdb_errors


def parse_text(
    connection: duckdb.DuckDBPyConnection,
    table: RawTable,
    given: Mapping[str, ColumnType],
    date_format: str | None,
    target: Path,
) -> tuple[ColumnReading, ...]:
    """Write the rows of a table of text, typed, to a Parquet file; return how each column was read.

    Args:
        connection: where the table is read.
        table: CSV or JSON lines.
        given: the types that the manifest gives columns.
        date_format: the form of dates that the manifest gives the input.
        target: the file to write.

    Raises:
        Refused: a value does not fit the type that its column has, or the dates of a column have two readings.
    """
    with explain_duckdb_errors(table.words):
        found = discover(connection, table, given, date_format)
        try:
            copy_typed(connection, table, found.columns, target)
        except duckdb.InvalidInputException as error:
            if not is_misfit(error):
                raise
            if found.sampled:
                # The rest may be otherwise than the sample.
                found = discover(connection, table, given, date_format, whole=True)
            refuse_misfit(connection, table, found.columns)
            copy_typed(connection, table, found.columns, target)
    return found.columns


def copy_typed(
    connection: duckdb.DuckDBPyConnection, table: RawTable, columns: Sequence[ColumnReading], target: Path
) -> None:
    """Write the columns of a table, as they are read, to a Parquet file."""
    connection.execute(
        f"COPY ({select(table, columns)}) TO {quote_literal(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)"
    )


def cast_typed(connection: duckdb.DuckDBPyConnection, table: RawTable, given: Mapping[str, ColumnType]) -> str:
    """Return the SQL of a table that has types: the given ones and the null texts applied, all else as it is.

    Raises:
        Refused: a value does not fit the type that is given.
    """
    columns = [ColumnReading(name=name, type=kind, offset=_has_zone(table, name)) for name, kind in given.items()]
    replaced = {column.name: table.read_as(column) for column in columns}
    with explain_duckdb_errors(table.words):
        if columns:
            refuse_misfit(connection, table, columns)
    changed = {name: read.value for name, read in replaced.items()}
    for name, stored in table.stored.items():
        column = quote_identifier(name)
        cleaned = (
            without_null_texts(column, table.reading.null_texts)
            if stored == "VARCHAR"
            else without_null_numbers(column, stored, table.reading.null_texts)
        )
        if name not in changed and cleaned != column:
            changed[name] = cleaned
    if not changed:
        return table.relation
    listed = ", ".join(f"{value} AS {quote_identifier(name)}" for name, value in changed.items())
    return f"(SELECT * REPLACE ({listed}) FROM {table.relation})"


def refuse_absent(table: RawTable, given: Mapping[str, ColumnType]) -> None:
    """Refuse a type that is given to a column that is not there."""
    for name in given:
        if name not in table.stored:
            raise Refused(f"{table.words} has no column '{name}', for which spec.dataset.inputs gives a type.")


def _has_zone(table: RawTable, name: str) -> bool:
    return table.stored[name] == "TIMESTAMP WITH TIME ZONE"
