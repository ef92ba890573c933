"""A store in a local folder. A write is a temporary file, flushed to disk, then renamed or linked into its place."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from penstock_jobs.errors import JobError, Refused, Unavailable
from penstock_jobs.storage.store import NotFound, Store

_TEMPORARY = ".penstock-part-"
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.ESTALE}


@dataclass(frozen=True)
class FolderStore:
    """A store whose root is a local folder, made when the first file is written."""

    root: Path

    @property
    def uri(self) -> str:
        return self.root.absolute().as_uri()

    def read(self, key: str) -> bytes:
        with _explained(self.root / key):
            return (self.root / key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        target = self.root / key
        with _explained(target), _temporary_beside(target) as temporary:
            _flush(temporary, content)
            os.replace(temporary, target)

    def write_if_absent(self, key: str, content: bytes) -> bool:
        target = self.root / key
        with _explained(target):
            if target.exists():
                return False
            with _temporary_beside(target) as temporary:
                _flush(temporary, content)
                try:
                    os.link(temporary, target)
                except FileExistsError:
                    return False
        return True

    def keys(self, prefix: str = "") -> list[str]:
        start = self.root / prefix.rpartition("/")[0]
        found = []
        for folder, _, names in os.walk(start):
            relative = Path(folder).relative_to(self.root)
            found += [(relative / name).as_posix() for name in names if not name.startswith(_TEMPORARY)]
        return sorted(key for key in found if key.startswith(prefix))

    def exists(self, key: str) -> bool:
        return (self.root / key).is_file()

    def delete(self, key: str) -> None:
        with _explained(self.root / key), suppress(FileNotFoundError):
            (self.root / key).unlink()

    def download(self, key: str, path: Path) -> None:
        with _explained(self.root / key):
            shutil.copyfile(self.root / key, path)

    def upload(self, path: Path, key: str) -> None:
        target = self.root / key
        with _explained(target), _temporary_beside(target) as temporary:
            shutil.copyfile(path, temporary)
            os.replace(temporary, target)

    def local_path(self, key: str) -> Path | None:
        return self.root / key

    def delta_options(self) -> dict[str, str]:
        return {}

    def child(self, prefix: str) -> Store:
        return FolderStore(self.root / prefix)


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _flush(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except JobError:
        raise
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except OSError as error:
        kind = Unavailable if error.errno in _PASSING else Refused
        raise kind(f"{path} cannot be used: {error.strerror}.") from error
