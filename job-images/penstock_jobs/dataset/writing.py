"""Writing the rows of a side to a file, and measuring files as read back."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.result import Column
from penstock_jobs.storage import Store
from penstock_jobs.tables.columns import literal, quoted
from penstock_jobs.tables.delta import DataFile
from penstock_jobs.tables.digest import RowSums, digest, sums_expression
from penstock_jobs.tables.engine import explained
from penstock_jobs.tables.revisions import readable, stored


def write_rows(
    connection: duckdb.DuckDBPyConnection, store: Store, query: str, scratch: Path, what: str
) -> tuple[DataFile, ...]:
    """Write what the query selects to a new file in the table's folder, not yet committed; no file for no rows."""
    name = f"part-{uuid.uuid4().hex}.parquet"
    local = store.local_path(name)
    path = local or scratch / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with explained(what):
        row = connection.execute(
            f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)"
        ).fetchone()
    rows = int(row[0]) if row else 0
    size = path.stat().st_size
    if rows and local is None:
        store.upload(path, name)
    if not rows or local is None:
        path.unlink()
    return (DataFile(name, size, rows),) if rows else ()


@dataclass(frozen=True)
class Measured:
    """The rows, the digest and the points of each class, as readers see them."""

    rows: int
    digest: str
    classes: dict[str, int]


def measure(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    types: Mapping[str, str],
    columns: tuple[Column, ...],
    classes_of: str | None,
) -> Measured:
    """Return the rows, the digest and the class counts of what readers see of the files.

    Args:
        connection: the engine.
        files: all files of the table's version.
        types: the type of each column of the table.
        columns: the user's columns.
        classes_of: the target of a classification, None for a regression.
    """
    if not files:
        return Measured(0, digest(columns, RowSums(0, 0, 0)), {})
    with explained("The tables' files"):
        seen = readable(stored(files, types), types)
        row = connection.execute(f"SELECT {sums_expression(columns)} FROM {seen}").fetchone()
        counts: dict[str, int] = {}
        if classes_of is not None:
            target = quoted(classes_of)
            found = connection.execute(f"SELECT {target}, count(*) FROM {seen} GROUP BY 1 ORDER BY 1").fetchall()
            counts = {str(value): int(count) for value, count in found}
    rows, upper, lower = row or (0, 0, 0)
    return Measured(int(rows), digest(columns, RowSums(int(rows), int(upper), int(lower))), counts)
