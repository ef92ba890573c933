"""Whole files on a local disk: written beside their place, flushed, then moved there, so that nobody sees half of one.

A process that is killed leaves its temporary file behind. Nobody reads it, and whoever next writes into the same folder
removes it once it is a day old.
"""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.storage.store import KeyNotFound

TEMPORARY = ".penstock-part-"
_STALE = 86400.0  # s; longer than any single file takes to be written
_swept: set[Path] = set()

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {errno.EIO, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.EBUSY}
_WITHOUT_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def replace_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, and put it in the target's place at the end, over what was there before."""
    with _temporary_beside(target) as (temporary, file):
        yield file
        _flush(file)
        os.replace(temporary, target)
        _flush_folder(target.parent)


def create(target: Path, content: bytes) -> bool:
    """Write the file unless it is there already; return whether it was written. Of several writers one succeeds."""
    with _temporary_beside(target) as (temporary, file):
        file.write(content)
        _flush(file)
        try:
            os.link(temporary, target)
        except FileExistsError:
            # NFS: a lost answer makes the client ask again, and be told that its own link is in the way.
            return temporary.stat().st_nlink > 1
        except OSError as error:
            if error.errno not in _WITHOUT_LINKS:
                raise
            raise Refused(
                f"The file system of {target.parent} has no hard links, without which a file cannot be written exactly "
                f"once; use a folder on another file system."
            ) from error
        _flush_folder(target.parent)
    return True


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn every `OSError` into a sentence about the path: `NotFound`, `Refused` or `Unavailable`."""
    try:
        yield
    except JobError:
        raise
    except FileNotFoundError as error:
        raise KeyNotFound(f"There is no file {path}.") from error
    except NotADirectoryError as error:
        raise KeyNotFound(f"There is no file {path}: a folder of its path is itself a file.") from error
    except OSError as error:
        raise _explanation(path, error) from error


def _explanation(path: Path, error: OSError) -> JobError:
    if error.errno in _FULL:
        return Unavailable(
            f"{path} cannot be written: the disk is full or its quota is used up; make room and try again."
        )
    if isinstance(error, PermissionError):
        return Refused(f"{path} cannot be used: this user may not; correct the rights of the file or of its folders.")
    if error.errno == errno.EROFS:
        return Refused(f"{path} cannot be written: the file system is read-only.")
    kind = Unavailable if error.errno in _PASSING else Refused
    return kind(f"{path} cannot be used: {error.strerror or error}.")


@contextmanager
def _temporary_beside(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    _make_folder(target.parent)
    _sweep(target.parent)
    temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    # Not `tempfile`, whose files only their owner may read: the next job may run as somebody else.
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:  # noqa: PTH123
        try:
            yield temporary, file
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    _flush_folder(folder.parent)


def _sweep(folder: Path) -> None:
    """Remove what writers who were killed left in the folder, once in each process."""
    if folder in _swept:
        return
    _swept.add(folder)
    for entry in os.scandir(folder):
        if entry.name.startswith(TEMPORARY):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < time.time() - _STALE:
                    os.unlink(entry)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the folder's names last: after a power cut a file is there only if its folder was flushed too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP}:  # some network file systems cannot, and need not
            raise
    finally:
        os.close(descriptor)
