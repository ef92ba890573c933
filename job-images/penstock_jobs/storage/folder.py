"""A store in a local folder, which may be a network file system mounted by several machines."""

# ruff: noqa: D102 (what each method promises is written once, at `Store`)

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock_jobs.storage import disk
from penstock_jobs.storage.keys import check_key, check_prefix
from penstock_jobs.storage.store import KeyNotFound, Store, StoredFile
from penstock_jobs.storage.volumes import check_in_volume, check_regular, volume_of


@dataclass(frozen=True)
class FolderStore:
    """A store whose root is a local folder, made when the first file is written."""

    root: Path

    @property
    def uri(self) -> str:
        return self.root.absolute().as_uri()

    def read(self, key: str) -> bytes:
        path = check_regular(self._path(key))
        with disk.explain_os_errors(path):
            return path.read_bytes()

    def write(self, key: str, content: bytes) -> None:
        path = self._path(key)
        with disk.explain_os_errors(path), disk.replace_file(path) as file:
            file.write(content)

    def write_if_absent(self, key: str, content: bytes) -> bool:
        path = self._path(key)
        with disk.explain_os_errors(path):
            return not path.exists() and disk.create(path, content)

    def keys(self, prefix: str = "") -> list[str]:
        start = check_in_volume(self.root / check_prefix(prefix).rpartition("/")[0])
        with disk.explain_os_errors(start):
            found = sorted(key for key in self._walk(start) if key.startswith(prefix))
        if volume_of(self.root) is not None:
            for key in found:  # what is listed is opened, and not through here by the library of the tables
                check_in_volume(self.root / key)
        return found

    def files(self, prefix: str = "") -> list[StoredFile]:
        found = []
        for key in self.keys(prefix):
            with suppress(KeyNotFound), disk.explain_os_errors(self.root / key):  # it may have gone meanwhile
                found.append(stored_file(self.root, key))
        return found

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with disk.explain_os_errors(path):
            return path.is_file()

    def delete(self, key: str) -> None:
        path = self._path(key)
        with suppress(KeyNotFound), disk.explain_os_errors(path):
            path.unlink()

    def remove_empty_folders(self) -> None:
        with disk.explain_os_errors(self.root):
            for folder, _, _ in os.walk(self.root, topdown=False):
                with suppress(OSError):  # it is not empty, or somebody else removed it
                    Path(folder).rmdir()

    def download(self, key: str, path: Path) -> None:
        source = check_regular(self._path(key))
        with (
            disk.explain_os_errors(source),
            source.open("rb") as content,
            disk.explain_os_errors(path),
            disk.replace_file(path) as file,
        ):
            shutil.copyfileobj(content, file, 1 << 20)

    def upload(self, path: Path, key: str) -> None:
        target = self._path(key)
        with (
            disk.explain_os_errors(path),
            path.open("rb") as content,
            disk.explain_os_errors(target),
            disk.replace_file(target) as file,
        ):
            shutil.copyfileobj(content, file, 1 << 20)

    def local_path(self, key: str) -> Path | None:
        return check_regular(self._path(key))

    def delta_options(self) -> dict[str, str]:
        return {}

    def child(self, prefix: str) -> Store:
        return FolderStore(self.root / check_key(prefix))

    def _path(self, key: str) -> Path:
        return check_in_volume(self.root / check_key(key))

    def _walk(self, start: Path) -> Iterator[str]:
        def unreadable(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise error

        for folder, _, names in os.walk(start, onerror=unreadable):
            relative = Path(folder).relative_to(self.root)
            yield from ((relative / name).as_posix() for name in names if not name.startswith(disk.TEMPORARY))


def stored_file(root: Path, key: str) -> StoredFile:
    """Return what is known of a file without opening it; its version is when it was written last."""
    state = (root / key).stat()
    return StoredFile(key, state.st_size, str(state.st_mtime_ns), datetime.fromtimestamp(state.st_mtime, UTC))
