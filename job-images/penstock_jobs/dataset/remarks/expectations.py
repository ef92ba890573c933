"""`dataset.expect`: what must hold of the rows that are read, or the generation is refused and the tables stay.

Bounds are asked of all rows that were read, before anything is written: those in testing already count too.
"""

from collections.abc import Sequence

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column, Remark
from penstock_jobs.contract.specification import DatasetJob, Expectation
from penstock_jobs.dataset.canonical import CANONICAL, first_row, suggest_column
from penstock_jobs.tables.columns import quote_identifier
from penstock_jobs.tables.engine import fetch_number

_FIELD = "spec.dataset.expect"
_END = "The tables stay as they were."


def refuse_broken_bounds(
    connection: duckdb.DuckDBPyConnection, job: DatasetJob, columns: Sequence[Column], rows_before: int | None
) -> None:
    """Refuse rows of which a bound does not hold, by the first such bound.

    Args:
        connection: has the canonical rows.
        job: has what is expected.
        columns: those of the rows.
        rows_before: how many rows were read for the generation before, None where there was none.
    """
    if not job.expect:
        return
    rows = fetch_number(connection, f"SELECT count(*) FROM {CANONICAL}")
    for expected in job.expect:
        _refuse_number_of_rows(expected, rows, rows_before)
        if expected.column is not None and expected.remark is None:
            _refuse_values(connection, expected, _column_of(expected, columns), rows)
        elif expected.column is not None:
            _column_of(expected, columns)


def refuse_remarks(expectations: Sequence[Expectation], remarks: Sequence[Remark]) -> None:
    """Refuse the generation for the first remark that must not be made, and say how many more there are."""
    broken = [
        remark
        for remark in remarks
        if any(each.remark == remark.code and each.column in (None, remark.column) for each in expectations)
    ]
    if broken:
        more = f" So it is with {len(broken) - 1} more." if len(broken) > 1 else ""
        raise Refused(f"{broken[0].message} {_FIELD} refuses {broken[0].code}.{more} {_END}")


def _refuse_values(connection: duckdb.DuckDBPyConnection, expected: Expectation, column: Column, rows: int) -> None:
    name = quote_identifier(column.name)
    if expected.nulls is not None:
        wrong = f"{name} IS NULL"
        nulls = fetch_number(connection, f"SELECT count(*) FROM {CANONICAL} WHERE {wrong}")
        if nulls > expected.nulls * rows:
            raise Refused(
                f"The column '{column.name}' has no value in {nulls:,} of {rows:,} rows ({100 * nulls / rows:.3g} %), "
                f"first in row {first_row(connection, wrong)}; {_FIELD} allows {100 * expected.nulls:g} %. {_END}"
            )
    wrong = " OR ".join(
        [f"{name} < {expected.low!r}"] * (expected.low is not None)
        + [f"{name} > {expected.high!r}"] * (expected.high is not None)
    )
    if not wrong:
        return
    query = f"SELECT count(*), min({name}), max({name}) FROM {CANONICAL} WHERE {wrong}"
    beyond, least, greatest = connection.execute(query).fetchone() or (0, None, None)
    if beyond:
        values = f"{least:g}" if least == greatest else f"from {least:g} to {greatest:g}"
        low = "" if expected.low is None else f" from {expected.low:g}"
        high = "" if expected.high is None else f" up to {expected.high:g}"
        raise Refused(
            f"The column '{column.name}' is beyond its range in {beyond:,} of {rows:,} rows ({values}), first in row "
            f"{first_row(connection, wrong)}; {_FIELD} allows values{low}{high}. {_END}"
        )


def _refuse_number_of_rows(expected: Expectation, rows: int, before: int | None) -> None:
    if expected.minimum is not None and rows < expected.minimum:
        raise Refused(f"The inputs have {rows:,} rows; {_FIELD} asks for {expected.minimum:,} at least. {_END}")
    if before is None:
        return
    read = f"The inputs have {rows:,} rows and had {before:,} at the generation before"
    if expected.decrease is not None and rows < before * (1 - expected.decrease):
        raise Refused(f"{read}; {_FIELD} allows {100 * expected.decrease:g} % fewer. {_END}")
    if expected.increase is not None and rows > before * (1 + expected.increase):
        raise Refused(f"{read}; {_FIELD} allows {100 * expected.increase:g} % more. {_END}")


def _column_of(expected: Expectation, columns: Sequence[Column]) -> Column:
    names = tuple(column.name for column in columns)
    column = next((each for each in columns if each.name == expected.column), None)
    if column is None:
        raise Refused(
            f"There is no column '{expected.column}' ({_FIELD}); {suggest_column(str(expected.column), names)}"
        )
    if (expected.low is not None or expected.high is not None) and column.type not in ("Integer", "Float"):
        raise Refused(
            f"The column '{column.name}' is {column.type}; {_FIELD} gives it a range, which only numbers have."
        )
    return column
