"""Room on the disk: a node without it removes images and evicts pods, and tests fail for the strangest reasons."""

import shutil
from collections.abc import Callable
from pathlib import Path

OF_TESTS = 3.0  # GiB: what the tests write
OF_NODES = 12.0  # what the nodes of a cluster of plain processes unpack, that of torch most of all
OF_IMAGES = 14.0  # the images' layers and archives
_GIB = 2**30


def free_gib(folder: Path) -> float:
    """Return how much is free on the disk of a folder, in GiB."""
    return shutil.disk_usage(folder).free / _GIB


def needed_gib(folder: Path) -> float:
    """Return how much the tests still need in this cache folder, in GiB: less where much is there already."""
    has_nodes = any((folder / "machine" / "nodes").glob("*/io.containerd.snapshotter*"))
    has_images = any((folder / "images" / "archives").glob("torch-*.tar"))
    return OF_TESTS + (0 if has_nodes else OF_NODES) + (0 if has_images else OF_IMAGES)


def shortage(folder: Path, free: Callable[[Path], float] | None = None) -> str | None:
    """Return a sentence where the disk of the folder would run full; None where there is room enough."""
    there, needed = (free or free_gib)(folder), needed_gib(folder)
    if there >= needed:
        return None
    return (
        f"{folder} has {there:.1f} GiB free, and images, nodes and tests need {needed:.0f} more: where it runs full, "
        "pods are evicted and tests fail. Free some, or name another folder in PENSTOCK_TEST_CACHE."
    )
