"""Our own images, for the cluster of the tests: archives that every provider loads, built when inputs changed."""

from functools import cache
from pathlib import Path

from penstock_images.building import Builder
from penstock_images.lacking import Lacking as CannotBuild
from testcluster.sentences import Lacking, say


def archive(name: str) -> tuple[str, Path]:
    """Return the name and tag of an image, and a docker archive of it.

    Args:
        name: `jobs`, `serving`, `operator` or `torch`.

    Raises:
        Lacking: it cannot be built on this machine.
    """
    try:
        built = _builder().build(name)
    except CannotBuild as error:
        raise Lacking(str(error)) from error
    return built.reference, built.archive


@cache
def _builder() -> Builder:
    return Builder(engine=None, base_image=None, say=say)
