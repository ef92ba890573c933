"""The one folder of everything that is built, kept or running.

It lies outside the checkout on purpose: a fresh clone shares the built programs and images, and there is one cluster a
machine.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testcluster.sentences import say

# All that is ever put there. A person may name a folder that has other things in it, and these stay.
CONTENTS = ("programs", "images", "machine", "kind", "loaded", "pushed", "locks", "cluster.json", "keep-cluster")


def folder(*parts: str) -> Path:
    """Return a folder in the cache, made where it is missing."""
    root = Path(os.environ.get("PENSTOCK_TEST_CACHE") or Path.home() / ".cache" / "penstock")
    path = root.absolute().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def remove() -> None:
    """Remove all that is ours in the folder, and the folder itself if nothing else is in it."""
    root = folder()
    for name in CONTENTS:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if not any(root.iterdir()):
        root.rmdir()


@contextmanager
def lock(name: str, waiting_for: str) -> Iterator[None]:
    """Hold a lock of the whole machine. It goes with the process, so a killed one leaves nothing to clean."""
    with (folder("locks") / name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {waiting_for}, which another process is at")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def lock_together(name: str) -> Iterator[None]:
    """Hold a lock together with all others who hold it in this way."""
    with (folder("locks") / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def lock_if_free(name: str) -> Iterator[bool]:
    """Hold a lock alone if nobody else holds it in any way; give whether that is so."""
    with (folder("locks") / name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
