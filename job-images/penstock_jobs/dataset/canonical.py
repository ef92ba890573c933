"""Every row in its canonical types: the same whatever the format it came in.

Whole numbers become 64-bit integers, other numbers 64-bit floats (NaN is null, and negative zero zero), times become
moments in UTC. The types are fixed at the first generation of an epoch.
"""

import difflib
import re
from collections.abc import Sequence

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column, ColumnRole, ColumnType
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.loading import ROWS
from penstock_jobs.dataset.whole_numbers import refuse_inexact
from penstock_jobs.tables.columns import DUCKDB_TYPES, PREFIX, quote_identifier
from penstock_jobs.tables.engine import explain_duckdb_errors

CANONICAL = "canonical"
_INDEX = re.compile(r"__index_level_[0-9]+__|Unnamed: 0")

_TYPES: dict[str, ColumnType] = {
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"),
        "Integer",
    ),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "Float"),
    "BOOLEAN": "Boolean",
    **dict.fromkeys(("VARCHAR", "UUID", "TIME", "JSON"), "String"),
    **dict.fromkeys(
        ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"), "Timestamp"
    ),
    "DATE": "Date",
}


def make_canonical(
    connection: duckdb.DuckDBPyConnection, job: DatasetJob, fixed: tuple[Column, ...] | None
) -> tuple[Column, ...]:
    """Make the view `canonical` of the loaded rows; return its columns.

    Args:
        connection: has the view `loaded`.
        job: says what each column is for.
        fixed: the columns of the first generation; None at the first. Columns may be added to them, not taken away.
    """
    with explain_duckdb_errors("The input"):
        rows = connection.execute(f"DESCRIBE {ROWS}").fetchall()
    stored = {str(row[0]): str(row[1]) for row in rows}
    found = {name: column_type(name, kind) for name, kind in stored.items()}
    _refuse_reserved(found)
    _refuse_missing(job, tuple(found))
    before = {column.name: column.type for column in fixed or ()}
    for name in _indexes(job, found, before):
        del found[name]
    for name in before:
        if name not in found:
            raise Refused(
                f"The column '{name}' is in the tables of the runs before and not in the input any more; give it back "
                "(or select it as NULL in the query), or begin a new testing set with resetTesting."
            )
    types = {name: before.get(name, kind) for name, kind in found.items()}
    for name, kind in types.items():
        if found[name] == "Float" and (kind == "Integer" or _role(job, name) in ("Key", "Group")):
            refuse_inexact(connection, ROWS, name, stored[name], fractions=kind == "Integer")
        if kind != found[name]:
            _refuse_changed(connection, name, kind, found[name])
    listed = ", ".join(f"{_cast(name, kind, found[name])} AS {quote_identifier(name)}" for name, kind in types.items())
    connection.execute(f"CREATE VIEW {CANONICAL} AS SELECT {listed} FROM {ROWS}")
    return tuple(Column(name=name, type=kind, role=_role(job, name)) for name, kind in types.items())


def columns_left_out(connection: duckdb.DuckDBPyConnection, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the columns of the loaded rows that `canonical` does not have."""
    known = {column.name for column in columns}
    rows = connection.execute(f"DESCRIBE {ROWS}").fetchall()
    return tuple(str(row[0]) for row in rows if str(row[0]) not in known)


def first_row(connection: duckdb.DuckDBPyConnection, condition: str) -> int | None:
    """Return the number, from 1, of the first loaded row that meets the condition; None where none does."""
    numbered = f"SELECT row_number() OVER () AS _penstock_row, * FROM {ROWS}"
    query = f"SELECT _penstock_row FROM ({numbered}) WHERE {condition} LIMIT 1"
    found = connection.execute(query).fetchone()
    return None if found is None else int(found[0])


def suggest_column(name: str, names: Sequence[str]) -> str:
    """Return a proposal of the name most like a wrong one, as the end of a sentence; or the list of all of them."""
    likely = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if likely:
        return f"did you mean '{likely[0]}'?"
    shown = ", ".join(f"'{other}'" for other in names[:20])
    return f"the columns are {shown}{', …' if len(names) > 20 else ''}."


def column_type(name: str, duckdb_type: str) -> ColumnType:
    """Return the type of a column that the engine describes so, or raise `Refused` where a table cannot hold it."""
    if duckdb_type.startswith("DECIMAL"):
        scale = re.search(r",\s*(\d+)\)", duckdb_type)
        return "Integer" if scale and scale.group(1) == "0" else "Float"
    if duckdb_type.startswith("ENUM"):
        return "String"
    if duckdb_type in ('"NULL"', "NULL"):
        return "String"
    if duckdb_type not in _TYPES:
        raise Refused(
            f"The column '{name}' is of type {duckdb_type}, which a table cannot hold; use a query that takes it "
            "apart or "
            "leaves it out (Integer, Float, Boolean, String, Timestamp and Date can be held)."
        )
    return _TYPES[duckdb_type]


def _cast(name: str, kind: ColumnType, found: ColumnType) -> str:
    column = quote_identifier(name)
    if kind == "Float":
        number = f"CAST({column} AS DOUBLE)"
        return f"(CASE WHEN isnan({number}) THEN NULL ELSE {number} + 0.0 END)"
    if found == "Float":  # whole numbers, or NaN
        return f"TRY_CAST({column} AS {DUCKDB_TYPES[kind]})"
    return f"CAST({column} AS {DUCKDB_TYPES[kind]})"


def _refuse_changed(connection: duckdb.DuckDBPyConnection, name: str, before: ColumnType, now: ColumnType) -> None:
    if {before, now} == {"Integer", "Float"}:  # those that are no integers were refused already
        return
    row = first_row(connection, f"{quote_identifier(name)} IS NOT NULL")
    if row is not None:
        raise Refused(
            f"The column '{name}' was {before} at the first generation and is {now} now, first in row {row}; give it "
            "its "
            "type back (`types` of the input, or a cast in the query), or begin a new testing set with resetTesting."
        )


def _refuse_reserved(found: dict[str, ColumnType]) -> None:
    for name in found:
        if name.lower().startswith(PREFIX):
            raise Refused(f"The column '{name}' has a name that Penstock keeps for itself; rename it.")
        if "\0" in name:  # numpy ends a text there, and with it scikit-learn the name of a feature
            raise Refused(f"The column {name!r} has a NUL character in its name, which no Model can have; rename it.")


def _refuse_missing(job: DatasetJob, names: tuple[str, ...]) -> None:
    wanted = [("target.column", job.target.column), ("weight.column", job.weight)]
    wanted += [("key", name) for name in job.key]
    wanted += [("split.group.columns", name) for name in job.split.group_columns]
    wanted += [("split.time.column", job.split.time_column)]
    for field, name in wanted:
        if name is not None and name not in names:
            raise Refused(
                f"There is no column '{name}' (spec.dataset.{field}) in the input; {suggest_column(name, names)}"
            )


def _indexes(job: DatasetJob, found: dict[str, ColumnType], before: dict[str, ColumnType]) -> list[str]:
    """Return the columns that are the index of a data frame, as pandas names it where it has no name.

    By their names alone, so that they are left out at every generation; not one that the job names, or that tables made
    before have. CSV has no name for it at all, and the engine calls a first column without one `column0`; as it does
    each column where none has a name, so one that is followed by `column1` is data.
    """
    names = [name for name in found if _INDEX.fullmatch(name)]
    if next(iter(found), None) == "column0" and "column1" not in found:
        names.append("column0")
    return [name for name in names if name not in before and _role(job, name) == "Feature"]


def _role(job: DatasetJob, name: str) -> ColumnRole:
    if name == job.target.column:
        return "Target"
    if name in job.key:
        return "Key"
    if name in job.split.group_columns:
        return "Group"
    if name == job.split.time_column:
        return "Time"
    return "Weight" if name == job.weight else "Feature"
