"""The data files of one version of a table, as local files."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import TableVersion
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import Store, open_store
from penstock_jobs.tables.delta import file_names, open_table, types_of_table


def store_of(table: TableVersion, location: Location) -> Store:
    """Return the store whose root is the table; `location` says how to reach the storage it is in."""
    return open_store(replace(location, uri=table.uri))


@dataclass(frozen=True)
class VersionFiles:
    """The local data files of a version, and the DuckDB type of each column of the table."""

    paths: tuple[Path, ...]
    types: dict[str, str]


def version_files(table: TableVersion, location: Location, scratch: Path) -> VersionFiles:
    """Return the files of exactly that version, downloaded to `scratch` where the table is not in a local folder."""
    store = store_of(table, location)
    opened = open_table(store, table.version)
    if opened is None:
        raise Refused(f"There is no table at {table.uri} any more; run the dataset job again.")
    names = file_names(opened)
    gone = next((name for name in names if not store.exists(name)), None)
    if gone is not None:
        raise Refused(
            f"Version {table.version} of the table {table.uri} is gone: its files were removed after the retention "
            "(`retention.tableVersions`). Run the dataset job again."
        )
    return VersionFiles(tuple(fetch_file(store, name, scratch) for name in names), types_of_table(opened))


def fetch_file(store: Store, name: str, scratch: Path) -> Path:
    """Return a local file with the content: the file itself in a folder, a download elsewhere."""
    path = store.local_path(name)
    if path is not None:
        return path
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / name.replace("/", "_")
    if not target.exists():
        store.download(name, target)
    return target
