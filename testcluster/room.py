"""Room on the disk: a node without it removes images and evicts pods, and tests fail for the strangest reasons."""

import shutil
from collections.abc import Callable
from pathlib import Path

ENOUGH = 12.0  # GiB: what the nodes unpack, and what the images' layers and archives take, where none is there yet
_GIB = 2**30


def free_gib(folder: Path) -> float:
    """Return how much is free on the disk of a folder, in GiB."""
    return shutil.disk_usage(folder).free / _GIB


def shortage(folder: Path, free: Callable[[Path], float] = free_gib) -> str | None:
    """Return a sentence where the disk of the folder may run full; None where there is room enough."""
    there = free(folder)
    if there >= ENOUGH:
        return None
    return (
        f"{folder} has {there:.1f} GiB free, and the images and nodes may need {ENOUGH:.0f}: where it runs full, pods "
        "are evicted and tests fail. Free some, or name another folder in PENSTOCK_TEST_CACHE"
    )
