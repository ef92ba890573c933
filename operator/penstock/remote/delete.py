"""What a person deletes from a cluster: looked at before, and deleted by the uids that were seen."""

from collections.abc import Iterable, Sequence

from penstock.decide.commands.delete import CLUSTER, Deletion, Surroundings, deletion_of
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import RECORD
from penstock.decide.observed.listers import is_live
from penstock.kubernetes.errors import Rejected
from penstock.kubernetes.kinds import BY_NAME, CONTROLLER_REVISION, MODEL, PIPELINE, RUN, TRIGGER, Kind
from penstock.remote.cluster import Cluster


async def plan_deletions(cluster: Cluster, found: Iterable[ApiObject]) -> list[Deletion]:
    """Return what the deletion of these objects takes along, each once.

    Raises:
        Refused: a run is at work; a Model is served, or pinned.
    """
    runs = await cluster.list(RUN)
    seen = Surroundings(
        words=CLUSTER,
        runs=runs,
        models=await cluster.list(MODEL),
        pipelines=await cluster.list(PIPELINE),
        triggers=await _list_if_allowed(cluster, TRIGGER) or (),
        records=await _list_if_allowed(cluster, CONTROLLER_REVISION, RECORD),
        at_work=frozenset(str(run["metadata"]["uid"]) for run in runs if is_live(run)),
    )
    return list({each.uid: each for each in (deletion_of(there, seen) for there in found)}.values())


async def delete_objects(cluster: Cluster, deletions: Sequence[Deletion]) -> None:
    """Delete exactly these objects; one that is gone by now is no matter."""
    for each in deletions:
        await cluster.delete(BY_NAME[each.kind], each.name, each.uid)


async def _list_if_allowed(cluster: Cluster, kind: Kind, selector: str | None = None) -> Sequence[ApiObject] | None:
    """Return the objects, or None where the person may not read them: it is told less, and done all the same."""
    try:
        return await cluster.list(kind, selector)
    except Rejected:
        return None
