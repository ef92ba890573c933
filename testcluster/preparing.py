"""All that the tests on a cluster build, built ahead: no test waits for a compiler, and each part's time is told."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock_images.catalogue import IMAGES
from testcluster import images, probes
from testcluster.addons import ADDONS
from testcluster.addons.archive import archive
from testcluster.sentences import Lacking, report_duration, say


def prepare() -> None:
    """Build what can be built here. What cannot is said; the tests that want it say so again, each for itself."""
    for addon in ADDONS.values():
        with _part(f"the addon {addon.name}"):
            addon.build()
    with _part("the program that tries what pods can reach"):
        archive(probes.image())
    for name in IMAGES:
        with _part(f"the image penstock/{name}"):
            images.archive(name)


@contextmanager
def _part(what: str) -> Iterator[None]:
    try:
        with report_duration(f"prepared {what}"):
            yield
    except Lacking as reason:
        say(f"{what} cannot be had here: {reason}")
