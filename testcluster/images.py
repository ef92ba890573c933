"""Our own images, for the cluster of the tests: archives that every provider loads, built when inputs changed."""

import os
from functools import cache
from pathlib import Path

from penstock_images.building import Builder, BuiltImage
from penstock_images.lacking import MissingForBuild as CannotBuild
from testcluster import packages
from testcluster.packages import RequiredPackage
from testcluster.sentences import Lacking, say

BUILDAH, DEBOOTSTRAP = RequiredPackage("buildah", "buildah"), RequiredPackage("debootstrap", "debootstrap")


def build_image(name: str) -> BuiltImage:
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
    """Return what builds images, with the engine of this machine; one is installed where that is possible."""
    try:
        found = Builder(engine=None, base_image=None, say=say)
    except CannotBuild:
        packages.ensure([BUILDAH, DEBOOTSTRAP])
        found = Builder(engine=None, base_image=None, say=say)
    if found.engine.name == "buildah" and os.geteuid() == 0:
        packages.ensure([DEBOOTSTRAP])  # makes the base where it cannot be pulled
    return found


def archive(name: str) -> tuple[str, Path]:
    """Return the name and tag of an image, and a docker archive of it."""
    found = build_image(name)
    return found.reference, found.archive
