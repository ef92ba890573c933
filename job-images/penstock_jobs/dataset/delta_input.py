"""A Delta table as an input: the files of one version, with the values of its partition columns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deltalake import DeltaTable

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import InputSpec, Shard
from penstock_jobs.storage import open_store
from penstock_jobs.tables.columns import quote_identifier, quote_literal
from penstock_jobs.tables.delta import open_table
from penstock_jobs.tables.engine import path_list
from penstock_jobs.tables.files import fetch_file

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "integer": "INTEGER",
    "short": "SMALLINT",
    "byte": "TINYINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}
_UNREADABLE = {"deletionVectors": "deletion vectors", "columnMapping": "column mapping"}


@dataclass(frozen=True)
class DeltaFiles:
    """The files of a version, the text of each file's partition values, and the types of all columns by name."""

    files: tuple[Path, ...]
    partitions: tuple[dict[str, str | None], ...]
    types: dict[str, str]

    def relation(self) -> str:
        """Return the SQL that reads the version, its partition columns typed as the table says."""
        if not self.files:
            empty = ", ".join(f"CAST(NULL AS {kind}) AS {quote_identifier(name)}" for name, kind in self.types.items())
            return f"(SELECT {empty} LIMIT 0)"
        parts = [self._select_file(file, values) for file, values in zip(self.files, self.partitions, strict=True)]
        if not any(self.partitions):
            return f"read_parquet({path_list(self.files)}, union_by_name = true)"
        return "(" + " UNION ALL BY NAME ".join(parts) + ")"

    def _select_file(self, file: Path, values: dict[str, str | None]) -> str:
        added = "".join(
            f", CAST({_text(value)} AS {self.types[name]}) AS {quote_identifier(name)}"
            for name, value in values.items()
        )
        return f"SELECT *{added} FROM read_parquet({path_list([file])}, hive_partitioning = false)"


def delta_files(declared: InputSpec, shard: Shard, folder: Path) -> DeltaFiles:
    """Return the files of the version that the input names (the last by default) that are this shard's."""
    store = open_store(declared.location)
    table = open_table(store, declared.version)
    if table is None:
        raise Refused(f"There is no Delta table at {declared.location.uri}, the uri of the input '{declared.name}'.")
    _refuse_unreadable(table, declared)
    types = {field.name: _duckdb_type(field.type) for field in table.schema().fields}
    partitioned = table.metadata().partition_columns
    actions = _add_actions(table)
    mine = [action for index, action in enumerate(actions) if index % shard.count == shard.index]
    files = tuple(fetch_file(store, unquote(str(action["path"])), folder) for action in mine)
    values = tuple({name: _partition_value(action, name) for name in partitioned} for action in mine)
    return DeltaFiles(files, values, types)


def _add_actions(table: DeltaTable) -> list[dict[str, Any]]:
    batch = table.get_add_actions(flatten=True)
    names = [name for name in batch.schema.names if name == "path" or name.startswith("partition.")]
    columns = {name: batch.column(name).to_pylist() for name in names}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(rows, key=lambda row: str(row["path"]))


def _partition_value(action: dict[str, Any], name: str) -> str | None:
    value = action.get(f"partition.{name}")
    return None if value is None else str(value)


def _refuse_unreadable(table: DeltaTable, declared: InputSpec) -> None:
    features = table.protocol().reader_features or []
    for feature in features:
        if feature in _UNREADABLE:
            raise Refused(
                f"The Delta table {declared.location.uri} (input '{declared.name}') uses {_UNREADABLE[feature]}, which "
                "cannot be read here; rewrite it without (for deletion vectors: REORG TABLE … APPLY (PURGE))."
            )


def _duckdb_type(kind: Any) -> str:
    name = str(getattr(kind, "type", kind))
    return _DUCKDB_TYPES.get(name, name.upper() if name.startswith("decimal") else "VARCHAR")


def _text(value: str | None) -> str:
    return "NULL" if value is None else quote_literal(value)
