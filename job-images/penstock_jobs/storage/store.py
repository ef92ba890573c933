"""What a store can do, whatever is behind it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from penstock_jobs.contract.errors import Refused


class KeyNotFound(Refused):
    """There is nothing under that key."""


@dataclass(frozen=True)
class StoredFile:
    """A file that is there: its key and size in bytes, what tells one version from another, and when it was written."""

    key: str
    size: int
    version: str
    written: datetime


class Store(Protocol):
    """A folder or a bucket prefix. Failures are `Refused` (rights, names) or `Unavailable` (network, disk)."""

    @property
    def uri(self) -> str:
        """The address of the store's root, `file:///…` or `s3://…`, without a final slash."""
        ...

    def read(self, key: str) -> bytes:
        """Return the content, or raise `NotFound`."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Put the content there, over what was there before."""
        ...

    def write_if_absent(self, key: str, content: bytes) -> bool:
        """Put the content there unless something is there already; return whether it was put."""
        ...

    def keys(self, prefix: str = "") -> list[str]:
        """Return every key that begins with the prefix, sorted."""
        ...

    def files(self, prefix: str = "") -> list[StoredFile]:
        """Return every file whose key begins with the prefix, in the order of the keys, without opening one."""
        ...

    def exists(self, key: str) -> bool:
        """Return whether something is under exactly that key."""
        ...

    def delete(self, key: str) -> None:
        """Remove what is there; it is no error when nothing is."""
        ...

    def remove_empty_folders(self) -> None:
        """Remove the folders that deleted files have left empty, the root among them. Nobody may be writing there."""
        ...

    def download(self, key: str, path: Path) -> None:
        """Copy the content to a local file, streaming."""
        ...

    def upload(self, path: Path, key: str) -> None:
        """Copy a local file there, streaming, whole or not at all."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the file itself where the store is a local folder, and None elsewhere."""
        ...

    def delta_options(self) -> dict[str, str]:
        """Return the `storage_options` with which `deltalake` reaches a table in this store."""
        ...

    def child(self, prefix: str) -> "Store":
        """Return the store whose root is that prefix of this one."""
        ...
