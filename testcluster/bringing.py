"""Images of single programs on the nodes: loaded where the provider can, else pushed to the registry that is named.

A cluster that a person names with KUBECONFIG pulls its images. It gets those of the tests as it gets Penstock's own:
from the registry of `make images REGISTRY=…`, named to the tests in the same way.
"""

import os
from collections.abc import Mapping

from penstock_images.lacking import MissingForBuild as CannotPush
from testcluster import cache, images
from testcluster.addons.archive import ImageArchive
from testcluster.addons.target import AddonTarget
from testcluster.sentences import Lacking

REGISTRY = "REGISTRY"


def bring(cluster: AddonTarget, archive: ImageArchive) -> str:
    """Bring the image to where the nodes find it; return the name by which pods ask for it."""
    name = name_for_pods(archive)
    if name == archive.reference:
        cluster.load(archive.file)
        return name
    pushed = cache.folder("pushed") / name.replace("/", "_")
    if not pushed.exists():
        _push(archive, name)
        pushed.touch()
    return name


def name_for_pods(archive: ImageArchive, environment: Mapping[str, str] = os.environ) -> str:
    """Return the image's name, in the registry where one is named."""
    registry = environment.get(REGISTRY, "").rstrip("/")
    return f"{registry}/{archive.reference}" if registry else archive.reference


def _push(archive: ImageArchive, name: str) -> None:
    try:
        engine = images.builder().engine
        engine.load(archive.file)
        engine.tag(archive.reference, name)
        engine.push(name)
    except CannotPush as error:
        raise Lacking(str(error)) from error
