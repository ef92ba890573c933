"""The log of a job, kept in storage with its run: all that its container prints, worker processes and libraries too.

What this process and its children write passes through a small process of its own, which hands each piece on at once
(`kubectl logs` misses nothing, and waits for nobody who computes) and keeps it on the scratch disk. From there it is
put into storage every now and then and at the end, always as one object, so that each line is there once. Of a long log
the beginning and the end are kept.
"""

import os
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from penstock_jobs import ending
from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.termination_message import MARK
from penstock_jobs.logs import log
from penstock_jobs.storage import Store

EVERY = 20.0  # seconds between two puts: what a pod that is killed loses at most
HALF = 4 << 20  # bytes of the beginning, and at least as many of the end, that are kept
LEFT_OUT = b"... the middle of this log is left out: the beginning and the end are kept ...\n"
_TRIES = 1000  # pods of one part of a run that each have a log of their own
_PATIENCE = 2.0  # seconds that what is still in the pipe is waited for; a process that was left behind may hold it open
_LAST_PUT = 5.0  # seconds that the last put may take where the process is told to end


class LogArchive:
    """The output of this process and its children, until the block ends; `goes_to` says where it is kept.

    Args:
        name: of the log, as `training` or, of one worker of several, `training-3`.
        every: seconds between two puts.
    """

    def __init__(self, name: str, every: float = EVERY) -> None:
        self._name = name
        self._every = every
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-log-"))
        self._open: Callable[[], Store] | None = None
        self._key: str | None = None
        self._put: bytes | None = None
        self._warned = False
        self._ended = False
        self._ending = threading.Event()
        self._closing = threading.RLock()

    def __enter__(self) -> Self:
        self._originals = os.dup(1), os.dup(2)
        reading, writing = os.pipe()
        self._drained, drained = os.pipe()
        _flush()
        # Before there is any thread: what is forked here does nothing but copy.
        self._copier = os.fork()
        if self._copier == 0:
            _copy(reading, self._originals[1], self._folder, without=(writing, self._drained))
        os.close(reading)
        os.close(drained)
        for descriptor in (1, 2):
            os.dup2(writing, descriptor)
        os.close(writing)
        ending.run_before_end(self._archive_before_end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(_PATIENCE)
        self._keep()

    def archive_to(self, opened: Callable[[], Store]) -> None:
        """Keep the log in this store, from now on."""
        self._open = opened
        threading.Thread(target=self._archive_periodically, name="kept log", daemon=True).start()

    def _archive_periodically(self) -> None:
        while not self._ending.wait(self._every):
            self._keep()

    def _archive_before_end(self) -> None:
        """Keep what there is, before the process ends in the middle of whatever it is at."""
        self._end(_PATIENCE / 4)
        last = threading.Thread(target=self._keep, name="last put", daemon=True)
        last.start()
        last.join(_LAST_PUT)

    def _end(self, patience: float) -> None:
        with self._closing:
            if self._ended:
                return
            self._ended = True
            self._ending.set()
            _flush()
            for original, descriptor in zip(self._originals, (1, 2), strict=True):
                os.dup2(original, descriptor)
            select.select([self._drained], [], [], patience)

    def _keep(self) -> None:
        with self._closing:
            content = archive_lines(self._folder)
            if self._open is None or content == self._put or not content:
                return
            try:
                self._write(self._open(), content)
                self._put = content
            except JobError as error:  # the job's own end matters more
                if not self._warned:
                    log.warning("The log cannot be kept in storage: %s", error)
                self._warned = True

    def _write(self, store: Store, content: bytes) -> None:
        if self._key is not None:
            store.write(self._key, content)
            return
        for number in range(1, _TRIES):
            key = log_key(self._name, number)
            if store.write_if_absent(key, content):
                self._key = key
                return


def log_key(name: str, number: int = 1) -> str:
    """Return where in the run's storage the log of that name is; that of a pod that was started again has a number."""
    return f"logs/{name}.log" if number == 1 else f"logs/{name}.{number}.log"


def archive_lines(folder: Path) -> bytes:
    """Return what the copier has kept in the folder, without the lines that are meant for the operator alone."""
    head, older, newer = (_content(folder / name) for name in ("head", "tail.old", "tail"))
    if older:
        head = head[: head.rfind(b"\n") + 1]
        older = LEFT_OUT + older[older.find(b"\n") + 1 :] if (folder / "lost").exists() else older
    lines = (head + older + newer).splitlines(keepends=True)
    return b"".join(_drop_operator_lines(lines))


def _drop_operator_lines(lines: Iterable[bytes]) -> Iterable[bytes]:
    return (line for line in lines if not line.startswith(MARK.encode()))


def _content(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _copy(reading: int, original: int, folder: Path, without: tuple[int, ...]) -> None:
    """Copy what comes to where it was going, and into the folder, until nobody can write any more; then exit."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in without:
            os.close(descriptor)
        spool = _Spool(folder)
        while piece := os.read(reading, 1 << 16):
            with suppress(OSError):
                _write_all(original, piece)
            with suppress(OSError):  # a full disk
                spool.add(piece)
    finally:
        os._exit(0)


def _write_all(descriptor: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(descriptor, piece) :]


class _Spool:
    """The beginning in one file; of the rest at least as much as that, in two that take turns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / "head").open("ab", buffering=0)
        self._name = "head"

    def add(self, piece: bytes) -> None:
        if self._file.tell() >= HALF:
            self._file.close()
            if self._name == "tail":
                if (self._folder / "tail.old").exists():
                    (self._folder / "lost").touch()
                (self._folder / "tail").replace(self._folder / "tail.old")
            self._name = "tail"
            self._file = (self._folder / "tail").open("ab", buffering=0)
        self._file.write(piece)
