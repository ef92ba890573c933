"""Our own images, for the cluster of the tests: archives that every provider loads, built when inputs changed."""

from functools import cache
from pathlib import Path

from penstock_images.building import Builder, Built
from penstock_images.lacking import Lacking as CannotBuild
from testcluster.sentences import Lacking, say


def built(name: str) -> Built:
    """Return an image of ours: its name and tag, and its archive.

    Args:
        name: `jobs`, `serving`, `operator` or `torch`.

    Raises:
        Lacking: it cannot be built on this machine.
    """
    try:
        return builder().build(name)
    except CannotBuild as error:
        raise Lacking(str(error)) from error


@cache
def builder() -> Builder:
    """Return what builds images, with the engine of this machine."""
    try:
        return Builder(engine=None, base_image=None, say=say)
    except CannotBuild as error:
        raise Lacking(str(error)) from error


def archive(name: str) -> tuple[str, Path]:
    """Return the name and tag of an image, and a docker archive of it."""
    found = built(name)
    return found.reference, found.archive
