"""Versions of a Delta table: opened, and committed only on top of the version that was read.

Every commit carries the application transaction `penstock` and no retries: a commit on top of a version that is no
longer the last is refused by the table itself, so that a stale append cannot double points. Data files are written
beforehand and are invisible until the commit. Old versions stay readable until a vacuum: logs are never cleaned.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.storage import Store
from penstock_jobs.tables.columns import DELTA_TYPES

APPLICATION = "penstock"
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|↳")


@dataclass(frozen=True)
class DataFile:
    """A Parquet file in the folder of a table: its name, its size in bytes, and its number of rows."""

    name: str
    size: int
    rows: int


@dataclass(frozen=True)
class Commit:
    """What to commit: the files, the DuckDB type of each column, and by which run, in which generation.

    `rows_read` is how many rows the inputs had, and `moment` the time of the commit in milliseconds since 1970. `reset`
    is the word for which a new table is begun, where it is begun for one.
    """

    files: tuple[DataFile, ...]
    types: Mapping[str, str]
    generation: int
    epoch: int
    run: str
    moment: int
    overwrite: bool
    configuration: Mapping[str, str]
    rows_read: int = 0
    reset: str | None = None


def address(store: Store) -> str:
    """Return what `deltalake` is told: a plain path for a folder, the URI elsewhere.

    Raises:
        Refused: the library would take a name in it for an escaped one, and read or write another folder.
    """
    parts = urlsplit(store.uri)
    found = unquote(parts.path) if parts.scheme == "file" else store.uri
    escaped = _ESCAPED.search(found)
    if escaped is not None:
        raise Refused(
            f"{found} cannot hold a Delta table: the path has '{escaped.group()}', which Delta's library takes for an "
            "escaped character; rename that folder, or use another."
        )
    return found


def open_table(store: Store, version: int | None = None) -> DeltaTable | None:
    """Return the table whose root is the store, at that version or at the last; None where there is no table."""
    where = address(store)
    if not store.keys("_delta_log/"):
        return None
    try:
        return DeltaTable(where, version=version, storage_options=store.delta_options() or None)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        if version is not None:
            raise Refused(f"Version {version} of the table {store.uri} cannot be read: {_cause(error)}.") from error
        raise Unavailable(f"The table {store.uri} cannot be read: {_cause(error)}.") from error


def file_names(table: DeltaTable) -> tuple[str, ...]:
    """Return the names, in the table's folder, of the data files of this version, sorted."""
    return tuple(sorted(uri.rpartition("/")[2] for uri in table.file_uris()))


def types_of_table(table: DeltaTable) -> dict[str, str]:
    """Return the DuckDB type of each column of the table, in order."""
    duckdb_types = {delta: duckdb for duckdb, delta in DELTA_TYPES.items()}
    return {field.name: duckdb_types[str(getattr(field.type, "type", field.type))] for field in table.schema().fields}


def last_commit(table: DeltaTable) -> dict[str, str]:
    """Return what the last commit says of itself: `run`, `generation`, `epoch` and `rows`; empty where it does not."""
    for entry in table.history(1):
        return {name: str(entry[f"penstock.{name}"]) for name in _NAMES if f"penstock.{name}" in entry}
    return {}


def commit(store: Store, table: DeltaTable | None, change: Commit) -> int:
    """Commit on top of the version that `table` is at (None: create the table); return the new version."""
    schema = Schema([Field(name, PrimitiveType(DELTA_TYPES[kind])) for name, kind in change.types.items()])
    try:
        if table is None:
            return _create(store, schema, change)
        if not change.overwrite:
            table = _add_columns(store, table, schema, change)
        actions: list[AddAction | RemoveAction] = [_add_action(file, change.moment) for file in change.files]
        mode = "overwrite" if change.overwrite else "append"
        expected = table.version() + 1
        table.create_write_transaction(actions, mode, schema, commit_properties=_properties(change))
        return expected
    except CommitFailedError as error:
        raise Unavailable(
            f"Another generation of the table {store.uri} was committed meanwhile ({_cause(error)}); this one changed "
            "nothing there. Run it again."
        ) from error
    except (DeltaError, OSError) as error:
        raise Unavailable(f"The table {store.uri} could not be committed: {_cause(error)}.") from error


def configuration(append_only: bool, keep_seconds: float) -> dict[str, str]:
    """Return the properties of a table: both retentions, and whether rows may only be added."""
    interval = f"interval {max(1, round(keep_seconds))} seconds"
    return {
        "delta.appendOnly": "true" if append_only else "false",
        "delta.logRetentionDuration": interval,
        "delta.deletedFileRetentionDuration": interval,
        "delta.enableExpiredLogCleanup": "false",
    }


def reset_of(table: DeltaTable) -> str | None:
    """Return the word for which the table was begun, where it was begun for one."""
    name = table.metadata().name or ""
    return name.removeprefix(_RESET) if name.startswith(_RESET) else None


def vacuum(store: Store, keep_seconds: float, pinned: Sequence[int]) -> None:
    """Remove the data files that only versions older than `keep_seconds` need, and those of killed runs as old.

    Files of the last version and of the pinned ones stay whatever their age. Nothing is written to the log, so that the
    last commit stays that of the last generation.
    """
    table = open_table(store)
    if table is None:
        return
    hours = max(1, -(-int(keep_seconds) // 3600))
    known = [version for version in {*pinned, table.version()} if version <= table.version()]
    for name in table.vacuum(
        hours, dry_run=True, enforce_retention_duration=False, full=True, keep_versions=sorted(known)
    ):
        if name.startswith("part-"):
            store.delete(name)


_BEGUN_BY = "Begun by run "
_RESET = "Reset "
_NAMES = ("run", "generation", "epoch", "rows")


def _create(store: Store, schema: Schema, change: Commit) -> int:
    if store.uri.startswith("file:"):
        Path(address(store)).mkdir(parents=True, exist_ok=True)
    create_table_with_add_actions(
        address(store),
        schema,
        [_add_action(file, change.moment) for file in change.files],
        mode="error",
        name=None if change.reset is None else _RESET + change.reset,
        description=_BEGUN_BY + change.run,
        configuration=dict(change.configuration),
        storage_options=store.delta_options() or None,
        commit_properties=_properties(change),
    )
    return 0


def _add_columns(store: Store, table: DeltaTable, schema: Schema, change: Commit) -> DeltaTable:
    present = {field.name for field in table.schema().fields}
    added = [field for field in schema.fields if field.name not in present]
    if not added:
        return table
    expected = table.version() + 1
    table.alter.add_columns(added, commit_properties=_properties(change))
    return DeltaTable(address(store), version=expected, storage_options=store.delta_options() or None)


def _properties(change: Commit) -> CommitProperties:
    metadata = {
        "penstock.run": change.run,
        "penstock.generation": str(change.generation),
        "penstock.epoch": str(change.epoch),
        "penstock.rows": str(change.rows_read),
    }
    transaction = Transaction(APPLICATION, change.generation)
    return CommitProperties(custom_metadata=metadata, max_commit_retries=0, app_transactions=[transaction])


def _add_action(file: DataFile, moment: int) -> AddAction:
    return AddAction(file.name, file.size, {}, moment, True, json.dumps({"numRecords": file.rows}))


def _cause(error: Exception) -> str:
    """Return the last line of what `deltalake` says: its errors are trees over many lines, coloured, the cause last."""
    lines = [_DECORATION.sub("", line).strip() for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line), type(error).__name__)[:300].rstrip(".")
