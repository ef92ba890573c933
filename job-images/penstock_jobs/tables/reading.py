"""Reading a version of a table into a frame, always in the same order."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import TableVersion
from penstock_jobs.contract.specification import Location
from penstock_jobs.tables.columns import GENERATION, GROUP, POINT, quote_identifier
from penstock_jobs.tables.engine import connect, explain_duckdb_errors
from penstock_jobs.tables.files import version_files
from penstock_jobs.tables.revisions import rows_for_readers, rows_of_files


def read_frame(
    table: TableVersion, location: Location, columns: Sequence[str] | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Return exactly that version of the table, one row a point, sorted by `_penstock_point`.

    Of a testing table the last revision of each point is read, and retired points are left out.

    Types: Integer is int64, or float64 with NaN where there are nulls; Float is float64 with NaN for null; Boolean is
    bool, or object with None; String is object with None; Timestamp is datetime64[us, UTC] and Date datetime64[us],
    both with NaT. The identity of a group is int64, or object with None, and never a rounded float.

    Args:
        table: the version, as a result names it.
        location: how to reach the storage that the table is in.
        columns: which columns, in which order; None: all of them, the internal ones included.
        limit: at most so many rows, the first by identity: a hash, so that they are a random sample.

    Raises:
        Refused: the version is gone (retention), or has no such column.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        scratch = Path(folder)
        files = version_files(table, location, scratch / "files")
        with explain_duckdb_errors(f"The table {table.uri}"), connect(scratch, None, 1) as connection:
            present = files.types
            names = list(present if columns is None else columns)
            missing = next((name for name in names if name not in present), None)
            if missing is not None:
                raise Refused(f"The table {table.uri} has no column '{missing}'.")
            listed = ", ".join(quote_identifier(name) for name in names)
            first = "" if limit is None else f" LIMIT {limit:d}"
            seen = rows_for_readers(connection, rows_of_files(files.paths, present), present)
            query = f"SELECT {listed} FROM {seen} ORDER BY {POINT}{first}"
            return _frame(connection.execute(query).fetchnumpy(), {name: present[name] for name in names})


def points_in(table: TableVersion, location: Location, points: Sequence[int]) -> frozenset[int]:
    """Return which of the points exactly that version of the table holds; memory grows with the points asked about.

    Raises:
        Refused: the version is gone (retention, or an erasure).
    """
    query = f"SELECT DISTINCT {POINT} FROM {{rows}} SEMI JOIN wanted USING ({POINT})"
    return frozenset(int(row[0]) for row in _ask_about(points, table, location, query))


def first_generations(table: TableVersion, location: Location, points: Sequence[int]) -> dict[int, int]:
    """Return at which generation each of the points entered that version of the testing table.

    Raises:
        Refused: the version is gone (retention, or an erasure).
    """
    query = f"SELECT {POINT}, min({GENERATION}) FROM {{rows}} SEMI JOIN wanted USING ({POINT}) GROUP BY {POINT}"
    return {int(point): int(first) for point, first in _ask_about(points, table, location, query)}


def _ask_about(points: Sequence[int], table: TableVersion, location: Location, query: str) -> list[tuple[Any, ...]]:
    """Return what a query comes to: of all `{rows}` of that version of the table, and the points as `wanted`."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        scratch = Path(folder)
        files = version_files(table, location, scratch / "files")
        with explain_duckdb_errors(f"The table {table.uri}"), connect(scratch, None, 1) as connection:
            connection.register("asked", pd.DataFrame({POINT: pd.Series(list(points), dtype=np.int64)}))
            connection.execute(f"CREATE TEMP TABLE wanted AS SELECT CAST({POINT} AS BIGINT) AS {POINT} FROM asked")
            return connection.execute(query.format(rows=rows_of_files(files.paths, files.types))).fetchall()


def _frame(arrays: dict[str, Any], types: dict[str, str]) -> pd.DataFrame:
    series = {name: _series(arrays.pop(name), kind, name == GROUP) for name, kind in types.items()}
    return pd.DataFrame(series, copy=False)


def _series(array: Any, kind: str, exact: bool) -> pd.Series:
    mask = array.mask if isinstance(array, np.ma.MaskedArray) else np.False_
    plain = array.data if isinstance(array, np.ma.MaskedArray) else array
    masked = bool(np.any(mask))
    if kind in ("BIGINT", "DOUBLE") and masked and not exact:
        plain = plain.astype(np.float64)
        plain[mask] = np.nan
    elif plain.dtype.kind == "M" and masked:
        plain[mask] = np.datetime64("NaT")
    elif masked:
        plain = plain.astype(object)
        plain[mask] = None
    if kind == "TIMESTAMP WITH TIME ZONE":
        return pd.Series(pd.DatetimeIndex(plain).tz_localize("UTC"))
    return pd.Series(plain, copy=False, dtype=plain.dtype)
