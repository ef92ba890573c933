"""Locks between processes that build. The system takes a lock from a process that ends, however it ends.

Where the process was killed and its engine goes on, the lock goes on with the engine, which inherits it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock_image(folder: Path, name: str, clean: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of one image while it is built; others are built beside it.

    Args:
        folder: where the locks are.
        name: the image.
        clean: called first where nobody is building: what lies about then is of builds that were killed.
        say: takes a line of progress when there is somebody to wait for.
    """
    with (folder / "builds.lock").open("w") as everybody, (folder / f"{name}.lock").open("w") as own:
        for each in (everybody, own):
            os.set_inheritable(each.fileno(), True)
        if _try_lock(everybody.fileno(), fcntl.LOCK_EX):
            clean()
        fcntl.flock(everybody, fcntl.LOCK_SH)
        if not _try_lock(own.fileno(), fcntl.LOCK_EX):
            say(f"waiting for another process, which builds {name}")
            fcntl.flock(own, fcntl.LOCK_EX)
        yield


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
