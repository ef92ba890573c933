"""Every row as a point: identified, once, and told apart from those that are in testing already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import Column
from penstock_jobs.contract.specification import DatasetJob
from penstock_jobs.dataset.canonical import CANONICAL
from penstock_jobs.dataset.conflicts import refuse_conflicts
from penstock_jobs.dataset.expressions import fold_expression, group_expression, identity_expression
from penstock_jobs.tables.columns import (
    FOLD,
    GENERATION,
    GROUP,
    POINT,
    RETIRED,
    REVISION,
    TESTING_INTERNAL,
    quote_identifier,
    sort_columns,
    types_of_columns,
)
from penstock_jobs.tables.engine import fetch_number, parquet_relation
from penstock_jobs.tables.revisions import is_revised, rows_of_files

IDENTIFIED = "identified"
POINTS = "points"
STORED = "stored"
KEPT = "kept"
KEPT_POINTS = "kept_points"
KEPT_GROUPS = "kept_groups"

_BITS_A_ROW = 64
_MOST_BITS = 2**29


@dataclass(frozen=True)
class RowCounts:
    """How many rows were read, and how many of them are exact copies of another."""

    rows: int
    duplicates: int


def identity_columns(job: DatasetJob, columns: tuple[Column, ...], fixed: tuple[str, ...] | None) -> tuple[Column, ...]:
    """Return the columns that identify a point: the key; without one, the first generation's columns but the target."""
    by_name = {column.name: column for column in columns}
    if job.key:
        return tuple(_require_identifying(by_name[name], "key") for name in job.key)
    others = sort_columns(column for column in columns if column.name != job.target.column)
    chosen = tuple(by_name[name] for name in fixed) if fixed else others
    floats = [column.name for column in chosen if column.type == "Float"]
    if floats or job.query is not None:
        why = f"the column '{floats[0]}' holds floating-point numbers" if floats else "the rows come from a query"
        raise Refused(
            f"A point cannot be identified by its whole row, because {why}; name the columns that identify it in "
            "spec.dataset.key."
        )
    return chosen


def group_columns(job: DatasetJob, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns whose values make a group."""
    by_name = {column.name: column for column in columns}
    return tuple(_require_identifying(by_name[name], "split.group.columns") for name in job.split.group_columns)


def identify(
    connection: duckdb.DuckDBPyConnection,
    job: DatasetJob,
    epoch: int,
    identity: tuple[Column, ...],
    groups: tuple[Column, ...],
) -> None:
    """Make the view `identified`: the canonical rows with their point, their group and their fold draw."""
    group = group_expression(groups, identity) if groups else "CAST(NULL AS BIGINT)"
    drawn = GROUP if groups else POINT
    fold = fold_expression(job.split.salt, epoch, drawn)
    connection.execute(
        f"CREATE VIEW {IDENTIFIED} AS SELECT {POINT}, {GROUP}, {fold} AS {FOLD}, * EXCLUDE ({POINT}, {GROUP}) FROM "
        f"(SELECT {identity_expression(identity)} AS {POINT}, {group} AS {GROUP}, * FROM {CANONICAL})"
    )


def deduplicate(connection: duckdb.DuckDBPyConnection, job: DatasetJob, identity: tuple[Column, ...]) -> RowCounts:
    """Make the view `points`, each point of `identified` once; refuse different rows under one key."""
    rows = fetch_number(connection, f"SELECT count(*) FROM {CANONICAL}")
    duplicates = 0 if _is_numbered(connection, identity, rows) else _find_repeated(connection, identity)
    if not duplicates:
        connection.execute(f"CREATE VIEW {POINTS} AS SELECT * FROM {IDENTIFIED}")
        return RowCounts(rows, 0)
    connection.execute(
        f"CREATE TEMP TABLE once AS SELECT DISTINCT * FROM {IDENTIFIED} SEMI JOIN repeated USING ({POINT})"
    )
    refuse_conflicts(connection, job, identity, "once")
    connection.execute(
        f"CREATE VIEW {POINTS} AS SELECT * FROM {IDENTIFIED} ANTI JOIN repeated USING ({POINT}) UNION ALL FROM once"
    )
    return RowCounts(rows, duplicates)


def _find_repeated(connection: duckdb.DuckDBPyConnection, identity: tuple[Column, ...]) -> int:
    """Make `repeated`, the points that several rows have; return how many rows are too many."""
    connection.execute(
        f"CREATE TEMP TABLE repeated AS SELECT {identity_expression(identity)} AS {POINT}, count(*) AS copies "
        f"FROM {CANONICAL} GROUP BY 1 HAVING count(*) > 1"
    )
    return fetch_number(connection, "SELECT coalesce(sum(copies - 1), 0) FROM repeated")


def _is_numbered(connection: duckdb.DuckDBPyConnection, identity: tuple[Column, ...], rows: int) -> bool:
    """Return whether one whole number, different in each row, identifies the points, and a bit for each says so.

    That takes a fifth of the time of grouping, and an eighth of its memory. False is no answer.
    """
    if len(identity) != 1 or identity[0].type != "Integer":
        return False
    name = quote_identifier(identity[0].name)
    found = connection.execute(f"SELECT min({name}), max({name}) FROM {CANONICAL}").fetchone()
    if found is None or found[0] is None or found[1] - found[0] >= min(_BITS_A_ROW * rows, _MOST_BITS):
        return False
    return (
        fetch_number(connection, f"SELECT bit_count(bitstring_agg({name}, {found[0]}, {found[1]})) FROM {CANONICAL}")
        == rows
    )


def read_testing_rows(
    connection: duckdb.DuckDBPyConnection, files: Iterable[Path], columns: tuple[Column, ...]
) -> None:
    """Make `kept` (the testing rows, last revisions), `kept_points` and `kept_groups` of the testing table's files."""
    files = tuple(files)
    types = types_of_columns(columns, TESTING_INTERNAL)
    connection.execute(f"CREATE VIEW {STORED} AS SELECT * FROM {rows_of_files(files, types)}")
    last = f"row_number() OVER (PARTITION BY {POINT} ORDER BY {REVISION} DESC) = 1"
    if not is_revised(connection, STORED):
        connection.execute(f"CREATE VIEW {KEPT} AS SELECT * FROM {STORED}")
    else:
        connection.execute(f"CREATE VIEW {KEPT} AS SELECT * FROM {STORED} QUALIFY {last}")
    connection.execute(
        f"CREATE TEMP TABLE {KEPT_POINTS} AS SELECT {POINT}, {REVISION}, {RETIRED}, {GENERATION} FROM {KEPT}"
    )
    connection.execute(
        f"CREATE TEMP TABLE {KEPT_GROUPS} AS SELECT DISTINCT {GROUP} FROM {STORED} WHERE {GROUP} IS NOT NULL"
    )


def read_training_points(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Make `placed`: the points in the files of the last training and validation tables."""
    rows = (
        f"SELECT {POINT} FROM {parquet_relation(files)}" if files else f"SELECT CAST(NULL AS BIGINT) AS {POINT} LIMIT 0"
    )
    connection.execute(f"CREATE TEMP TABLE placed AS {rows}")


def _require_identifying(column: Column, field: str) -> Column:
    if column.type == "Float":
        raise Refused(
            f"The column '{column.name}' (spec.dataset.{field}) holds floating-point numbers, which cannot identify "
            "anything; give it another type (`types` of the input, or a cast in the query), or name other columns."
        )
    return column
