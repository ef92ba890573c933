"""Models made on a cluster out of what was found in a storage."""

from collections.abc import Iterable
from dataclasses import replace

from penstock.api.decoding import Unreadable, decode
from penstock.api.model import Model
from penstock.decide.commands.import_models import ImportStatus, compare_to_existing
from penstock.decide.objects.children import as_json
from penstock.kubernetes.errors import AlreadyExists
from penstock.kubernetes.kinds import MODEL
from penstock.remote.cluster import Cluster


async def create_models(cluster: Cluster, found: Iterable[ImportStatus], *, only_look: bool) -> list[ImportStatus]:
    """Make each Model that is new, and return how each stands; with `only_look` none is made."""
    return [await _create_model(cluster, each, only_look=only_look) for each in found]


async def _create_model(cluster: Cluster, looked: ImportStatus, *, only_look: bool) -> ImportStatus:
    if looked.model is None:
        return looked
    standing = await _beside(cluster, looked)
    if standing.state != "New" or only_look:
        return standing
    made = as_json(looked.model)
    try:
        await cluster.create({name: each for name, each in made.items() if name != "status"})
    except AlreadyExists:
        return await _beside(cluster, looked)
    return standing


async def _beside(cluster: Cluster, looked: ImportStatus) -> ImportStatus:
    """Return how it stands to the Model of its name, where there is one."""
    found = await cluster.find(MODEL, looked.name)
    there = None if found is None else decode(found, Model)
    if isinstance(there, Unreadable):
        return replace(looked, state="Refused", message=there.sentence)
    return compare_to_existing(looked, there)
