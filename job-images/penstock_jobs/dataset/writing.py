"""Writing the rows of each side to a file of its table, and measuring files as read back."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from penstock_jobs.contract.result import Column
from penstock_jobs.storage import Store
from penstock_jobs.tables.columns import SIDE, quote_identifier, quote_literal
from penstock_jobs.tables.delta import DataFile
from penstock_jobs.tables.digest import RowSum, digest, sum_of_rows
from penstock_jobs.tables.engine import explain_duckdb_errors, path_list
from penstock_jobs.tables.revisions import rows_for_readers, rows_of_files

# Rows that each thread gathers of each side before it writes them: the engine's own would take half a gigabyte.
_ROWS_IN_MEMORY = 40_000
_STAGING = ".penstock-part-"


@dataclass(frozen=True)
class WrittenSides:
    """The new files of each table, not yet committed (none for a side without rows), and the rows that are in none."""

    files: dict[str, tuple[DataFile, ...]]
    left_out: int


def write_sides(
    connection: duckdb.DuckDBPyConnection, stores: Mapping[str, Store], query: str, scratch: Path
) -> WrittenSides:
    """Write what the query selects to new files, each row to the table that its `_penstock_side` names, in one pass.

    Args:
        connection: the engine.
        stores: the folder of each table, by side.
        query: the rows, with the column `_penstock_side`; rows of another side than those of `stores` are counted only.
        scratch: where files are made before they go to a store that is not a folder.
    """
    local = next(iter(stores.values())).local_path("x")
    base = scratch if local is None else local.parent.parent  # beside the tables: a rename puts a file in its place
    base.mkdir(parents=True, exist_ok=True)
    for abandoned in base.glob(f"{_STAGING}*"):  # by a killed run: whoever is here is alone
        shutil.rmtree(abandoned, ignore_errors=True)
    sides = list(stores)
    found: dict[str, list[DataFile]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix=_STAGING, dir=base) as folder:
        with explain_duckdb_errors("The tables"):
            connection.execute("SET preserve_insertion_order = false")
            connection.execute(f"SET partitioned_write_flush_threshold = {_ROWS_IN_MEMORY}")
            connection.execute(
                f"COPY (SELECT * REPLACE ({_side_index(sides)} AS {SIDE}) FROM ({query})) "
                f"TO {quote_literal(folder + '/sides')} "
                f"(FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000, PARTITION_BY ({SIDE}), "
                "FILENAME_PATTERN 'part-{uuid}')"
            )
        left_out = 0
        for path in sorted(Path(folder).rglob("*.parquet")):
            number = int(path.parent.name.removeprefix(f"{SIDE}="))
            if number < len(sides):
                side = sides[number]
                found[side].append(_move_to_table(connection, stores[side], path))
            else:
                left_out += _count_rows(connection, path)
    return WrittenSides({side: tuple(files) for side, files in found.items()}, left_out)


def _side_index(sides: Sequence[str]) -> str:
    """Return the SQL of the place of `side` in the list, or its length: the engine parts rows by text slowly."""
    cases = " ".join(f"WHEN {quote_literal(side)} THEN {number}" for number, side in enumerate(sides))
    return f"CAST(CASE {SIDE} {cases} ELSE {len(sides)} END AS UTINYINT)"


def _move_to_table(connection: duckdb.DuckDBPyConnection, store: Store, path: Path) -> DataFile:
    file = DataFile(path.name, path.stat().st_size, _count_rows(connection, path))
    target = store.local_path(path.name)
    if target is None:
        store.upload(path, path.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return file


def _count_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    row = connection.execute(f"SELECT count(*) FROM read_parquet({path_list([path])})").fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True)
class TableMeasure:
    """The rows, the digest and the points of each class, as readers see them."""

    rows: int
    digest: str
    classes: dict[str, int]


def seen_rows(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], types: Mapping[str, str]) -> str:
    """Return the SQL of what readers see of a table's files, with the type of each of its columns."""
    return rows_for_readers(connection, rows_of_files(files, types), types)


def measure(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    types: Mapping[str, str],
    columns: tuple[Column, ...],
    classes_of: str | None,
) -> TableMeasure:
    """Return the rows, the digest and the class counts of what readers see of the files.

    Args:
        connection: the engine.
        files: all files of the table's version.
        types: the type of each column of the table.
        columns: the user's columns.
        classes_of: the target of a classification, None for a regression.
    """
    if not files:
        return TableMeasure(0, digest(columns, RowSum(0, 0)), {})
    with explain_duckdb_errors("The tables' files"):
        seen = seen_rows(connection, files, types)
        name = "NULL" if classes_of is None else quote_identifier(classes_of)
        by_class = f"SELECT {name} AS class, {sum_of_rows(columns)} FROM {seen} GROUP BY 1 ORDER BY 1"
        found = connection.execute(by_class).fetchall()
    counts = {} if classes_of is None else {str(value): int(rows) for value, rows, *_ in found}
    summed = RowSum(*(sum(int(row[part]) for row in found) for part in (1, 2)))
    return TableMeasure(summed.rows, digest(columns, summed), counts)
