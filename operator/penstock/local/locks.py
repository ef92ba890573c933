"""Locks of the operating system on files of the home.

A lock is held by an open file, and goes with the last process that has it open: a killed process leaves none behind. A
job inherits its run's lock, so that a run is known to be at work for as long as any process of it is alive.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.local.home import make_folder

POLL = (
    0.1  # seconds between two tries; a blocking flock would not let the waiting be told, nor stopped on all platforms
)


@contextmanager
def hold_lock(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold the lock while the block runs; `waiting` is called once if somebody else has it. Yields the descriptor."""
    descriptor = _open(path)
    try:
        if not _try_flock(descriptor):
            waiting()
            while not _try_flock(descriptor):
                time.sleep(POLL)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def try_lock(path: Path, patience: float = 0.0) -> Iterator[int | None]:
    """Hold the lock while the block runs, or yield None if somebody else has it, for longer than so many seconds."""
    descriptor, until = _open(path), time.monotonic() + patience
    try:
        while not (mine := _try_flock(descriptor)) and time.monotonic() < until:
            time.sleep(POLL)
        yield descriptor if mine else None
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Return whether nobody holds the lock at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # who only looks may be in a home that it cannot write
    except FileNotFoundError:
        return True
    try:
        return _try_flock(descriptor, fcntl.LOCK_SH)  # two who look do not see each other
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    make_folder(path.parent)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _try_flock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
