"""The steps of a rename on a cluster: each is done at most once, whenever it is interrupted and said again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from penstock.act.errors import AlreadyExists
from penstock.act.kinds import MODEL, PIPELINE, RUN, TRIGGER
from penstock.act.user.cluster import Cluster
from penstock.act.user.errands import Patience, done, image_of_errands, newest_snapshot
from penstock.api.decoding import require
from penstock.api.pipeline import Pipeline
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE as LABEL
from penstock.decide.objects.errands import ErrandJob
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.revision import Snapshot
from penstock.decide.renaming import Renaming, copy_of, require_at_rest, require_possible, still_named, takes_over
from penstock.decide.settings import Pods
from penstock_jobs.errands import MoveClaim, Owner
from penstock_jobs.errors import Refused


@dataclass(frozen=True)
class Means:
    """What the pod that moves the claim is like, and how long everything may take."""

    image: str | None
    version: str
    pull_secrets: tuple[str, ...]
    patience: Patience


async def renamed(cluster: Cluster, old: str, new: str, means: Means) -> list[str]:
    """Rename the Pipeline; return sentences that say what still has the old name.

    Raises:
        Refused: it cannot be done, or not now; what was done so far stays, and saying it again goes on from there.
    """
    asked = await _looked(cluster, old, new)
    require_possible(asked)
    if asked.old is None:
        await _relabelled(cluster, old, new)
        return still_named(asked)
    snapshot = await newest_snapshot(cluster, old)
    copied = asked.new or await _copied(cluster, asked, snapshot, means.patience)
    await _taken_over(cluster, asked.old, copied, means.patience)
    asked = await _looked(cluster, old, new)
    require_at_rest(asked)
    await _claim_moved(cluster, asked, copied, snapshot, means)
    await _relabelled(cluster, old, new)
    if asked.old is not None:
        await cluster.delete(PIPELINE, old, asked.old["metadata"]["uid"])
    return still_named(asked)


async def _looked(cluster: Cluster, old: str, new: str) -> Renaming:
    return Renaming(
        old_name=old,
        new_name=new,
        old=await cluster.find(PIPELINE, old),
        new=await cluster.find(PIPELINE, new),
        runs=await cluster.list(RUN),
        triggers=await cluster.list(TRIGGER),
    )


async def _copied(cluster: Cluster, asked: Renaming, snapshot: Snapshot | None, patience: Patience) -> ApiObject:
    patience.say(f"Copying it to {asked.new_name}.")
    try:
        return await cluster.create(copy_of(asked, snapshot.storage if snapshot else None))
    except AlreadyExists:  # somebody says the same at the same time
        asked = replace(asked, new=await cluster.find(PIPELINE, asked.new_name))
        require_possible(asked)
        return asked.new or {}


async def _taken_over(cluster: Cluster, old: ApiObject, new: ApiObject, patience: Patience) -> None:
    name = new["metadata"]["name"]
    if (old.get("status") or {}).get("servedModel"):
        patience.say(f"Waiting until {name} serves; {old['metadata']['name']} serves as long.")

    async def wait() -> None:
        async for there in cluster.watch_one(PIPELINE, name):
            if there is None:
                raise Refused(f"The Pipeline {name} was deleted in the meantime; say this again.")
            if takes_over(old, there):
                return

    await _in_time(wait, patience, f"The Pipeline {name} did not come to serve")


async def _in_time(what: Callable[[], Awaitable[None]], patience: Patience, sentence: str) -> None:
    try:
        async with asyncio.timeout(patience.seconds):
            await what()
    except TimeoutError as error:
        raise Refused(
            f"{sentence} within {patience.seconds:g} s, so the old one stays; is the operator at work? Say this again "
            "to go on."
        ) from error


async def _claim_moved(
    cluster: Cluster, asked: Renaming, new: ApiObject, snapshot: Snapshot | None, means: Means
) -> None:
    """Give the storage to the new one; a Pipeline without a dataset of its own has claimed none."""
    spec = require(new, Pipeline).spec
    if spec.dataset is None or asked.old is None or spec.storage is None:
        return
    means.patience.say("Giving it the storage.")
    location = ClusterPlaces(cluster.namespace).storage(spec.storage, asked.new_name, "spec.storage", write=True)
    errand = MoveClaim(
        location=location,
        old_uid=asked.old["metadata"]["uid"],
        pipeline=asked.new_name,
        pipeline_uid=new["metadata"]["uid"],
    )
    pod = ErrandJob(
        errand=errand,
        image=image_of_errands(snapshot, means.image, means.version),
        pull_secrets=means.pull_secrets,
        general=snapshot.pods if snapshot else Pods(),
    )
    await done(cluster, pod, Owner, means.patience)


async def _relabelled(cluster: Cluster, old: str, new: str) -> None:
    for model in await cluster.list(MODEL, f"{LABEL}={old}"):
        await cluster.patch(MODEL, model["metadata"]["name"], {"metadata": {"labels": {LABEL: new}}})
