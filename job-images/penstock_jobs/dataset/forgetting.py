"""Removing named points from all tables, their old versions included: an erasure, asked for by a person only.

The points are deleted from the current version of each table, testing sets of all epochs included, and every older data
file that holds one of them is removed; a version that needs such a file is not readable any more, and says so. What is
still in the inputs comes back with the next generation: remove it there first. Models are not touched.
"""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from deltalake import CommitProperties, DeltaTable, Transaction

from penstock_jobs.contract.document import Document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ColumnType
from penstock_jobs.contract.specification import Location
from penstock_jobs.dataset import schema
from penstock_jobs.dataset.canonical import suggest_column
from penstock_jobs.dataset.claim import lock_datasets
from penstock_jobs.dataset.encoding import HASHING, Value, identity
from penstock_jobs.dataset.state import TRAINING, VALIDATION, epochs, testing_folder
from penstock_jobs.logs import report_progress
from penstock_jobs.storage import Store, open_store
from penstock_jobs.tables import delta
from penstock_jobs.tables.columns import POINT
from penstock_jobs.tables.engine import connect, explain_duckdb_errors, path_list
from penstock_jobs.tables.files import fetch_file

_AT_ONCE = 500


class RemovalCounts(Document, frozen=True):
    """How many rows of each table (its folder below the storage) were removed, and how many data files went."""

    rows: dict[str, int]
    files: int
    unknown: int


def forget(storage: Location, keys: Sequence[Mapping[str, Value]]) -> RemovalCounts:
    """Remove the points with these keys from every table of the storage.

    Args:
        storage: the Pipeline's storage.
        keys: for each point, the value of each column that identifies one; text is read as the column's type.

    Returns:
        What was removed; `unknown` counts the keys that no table held.

    Raises:
        Refused: a key misses a column, a value is not of its column's type, or another version of Penstock made the
            tables. Nothing was removed.
    """
    store = open_store(storage)
    with lock_datasets(store):
        wanted = {epoch: _points(store, epoch, keys) for epoch in epochs(store)}
        if not wanted:
            raise Refused(f"There are no tables at {store.uri}/datasets; nothing can be forgotten.")
        every = sorted({point for points in wanted.values() for point in points})
        folders = [*(testing_folder(epoch) for epoch in wanted), VALIDATION, TRAINING]
        rows: dict[str, int] = {}
        found: set[int] = set()
        files = 0
        for done, folder in enumerate(folders):
            report_progress(done, len(folders), f"Forgetting {len(keys)} points in {folder}")
            rows[folder] = _delete(store.child(folder), every)
            held, gone = _remove_files(store.child(folder), every)
            found |= held
            files += gone
    last = wanted[max(wanted)]
    return RemovalCounts(rows=rows, files=files, unknown=sum(point not in found for point in last))


def _points(store: Store, epoch: int, keys: Sequence[Mapping[str, Value]]) -> list[int]:
    fixed = schema.load(store, epoch)
    if fixed is None:
        return []
    if fixed.hashing != HASHING:
        raise Refused(
            f"The tables of epoch {epoch} at {store.uri} were begun by another version of Penstock, which knows points "
            f"by another hash (rule {fixed.hashing}; this version has rule {HASHING}); let that version forget them, "
            f"or remove {store.uri}/datasets and make the tables anew."
        )
    types = {column.name: column.type for column in fixed.columns}
    return [identity(_key_value(key, name, types[name]) for name in fixed.identity) for key in keys]


def _key_value(key: Mapping[str, Value], name: str, kind: ColumnType) -> Value:
    if name not in key:
        raise Refused(f"The key {dict(key)} has no value for '{name}'; {suggest_column(name, list(key))}")
    value = key[name]
    if not isinstance(value, str) or kind == "String":
        return value
    try:
        return _parse_value(value, kind)
    except ValueError as error:
        raise Refused(f"'{value}' is no value of the column '{name}', which is {kind}.") from error


def _parse_value(text: str, kind: ColumnType) -> Value:
    match kind:
        case "Integer":
            return int(text)
        case "Boolean":
            return (
                {"true": True, "false": False}[text.lower()]
                if text.lower() in ("true", "false")
                else _raise_no_value(text)
            )
        case "Timestamp":
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case "Date":
            return date.fromisoformat(text)
        case _:
            return _raise_no_value(text)


def _raise_no_value(text: str) -> Value:
    raise ValueError(text)


def _delete(store: Store, points: Sequence[int]) -> int:
    """Delete the points from the current version; a testing table may lose rows for as long as this takes."""
    table = delta.open_table(store)
    if table is None:
        return 0
    append_only = "/datasets/testing/" in store.uri  # whatever the table says: a killed erasure left it open
    properties = _properties(table)
    try:
        if append_only:
            table.alter.set_table_properties({"delta.appendOnly": "false"}, commit_properties=properties)
        deleted = 0
        for start in range(0, len(points), _AT_ONCE):
            listed = ", ".join(map(str, points[start : start + _AT_ONCE]))
            deleted += int(table.delete(f"{POINT} IN ({listed})", commit_properties=properties)["num_deleted_rows"])
    finally:
        if append_only:
            table.alter.set_table_properties({"delta.appendOnly": "true"}, commit_properties=properties)
    return deleted


def _properties(table: DeltaTable) -> CommitProperties:
    """Return what marks the commits: the last generation's number, and no run, so that no run takes it as its own."""
    last = delta.last_commit(table)
    metadata = {f"penstock.{name}": value for name, value in last.items() if name != "run"}
    transaction = Transaction(delta.APPLICATION, int(last.get("generation", 0)))
    return CommitProperties(custom_metadata=metadata, max_commit_retries=0, app_transactions=[transaction])


def _remove_files(store: Store, points: Sequence[int]) -> tuple[set[int], int]:
    """Remove the data files, of whatever version, that hold a point; return the points found, and how many files."""
    names = [name for name in store.keys("") if name.endswith(".parquet") and "/" not in name]
    found: set[int] = set()
    gone = 0
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder, connect(Path(folder), None, 1) as connection:
        connection.execute("CREATE TABLE wanted (point BIGINT)")
        connection.executemany("INSERT INTO wanted VALUES (?)", [[point] for point in points])
        for name in names:
            path = fetch_file(store, name, Path(folder))
            with explain_duckdb_errors(f"The file {name} of {store.uri}"):
                held = connection.execute(
                    f"SELECT DISTINCT {POINT} FROM read_parquet({path_list([path])}) "
                    f"WHERE {POINT} IN (SELECT point FROM wanted)"
                ).fetchall()
            if held:
                found |= {int(row[0]) for row in held}
                store.delete(name)
                gone += 1
    return found, gone
