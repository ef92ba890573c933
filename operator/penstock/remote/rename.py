"""The steps of a rename on a cluster: each is done at most once, whenever it is interrupted and said again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from penstock.api.decoding import require
from penstock.api.pipeline import Pipeline
from penstock.decide.commands.rename import (
    Renaming,
    copy_of,
    remaining_mentions,
    require_at_rest,
    require_possible,
    takes_over,
)
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import PIPELINE as LABEL
from penstock.decide.objects.places import ClusterPlaces
from penstock.decide.objects.revision import Snapshot
from penstock.decide.objects.storage_requests import StorageJob
from penstock.decide.settings import Pods
from penstock.kubernetes.errors import AlreadyExists
from penstock.kubernetes.kinds import MODEL, PIPELINE, RUN, TRIGGER
from penstock.remote.cluster import Cluster
from penstock.remote.storage_requests import WaitOptions, newest_snapshot, run_storage_job, storage_job_image
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.storage_requests import MoveClaim, PreviousOwner


@dataclass(frozen=True)
class RenameOptions:
    """What the pod that moves the claim is like, and how long everything may take."""

    image: str | None
    version: str
    pull_secrets: tuple[str, ...]
    patience: WaitOptions


async def rename_pipeline(cluster: Cluster, old: str, new: str, means: RenameOptions) -> list[str]:
    """Rename the Pipeline; return sentences that say what still has the old name.

    Raises:
        Refused: it cannot be done, or not now; what was done so far stays, and saying it again goes on from there.
    """
    asked = await _observe(cluster, old, new)
    require_possible(asked)
    if asked.old is None:
        await _relabel_models(cluster, old, new)
        return remaining_mentions(asked)
    snapshot = await newest_snapshot(cluster, old)
    copied = asked.new or await _create_copy(cluster, asked, snapshot, means.patience)
    await _wait_for_takeover(cluster, asked.old, copied, means.patience)
    asked = await _observe(cluster, old, new)
    require_at_rest(asked)
    await _move_claim(cluster, asked, copied, snapshot, means)
    await _relabel_models(cluster, old, new)
    if asked.old is not None:
        await cluster.delete(PIPELINE, old, asked.old["metadata"]["uid"])
    return remaining_mentions(asked)


async def _observe(cluster: Cluster, old: str, new: str) -> Renaming:
    return Renaming(
        old_name=old,
        new_name=new,
        old=await cluster.find(PIPELINE, old),
        new=await cluster.find(PIPELINE, new),
        runs=await cluster.list(RUN),
        triggers=await cluster.list(TRIGGER),
    )


async def _create_copy(
    cluster: Cluster, asked: Renaming, snapshot: Snapshot | None, patience: WaitOptions
) -> ApiObject:
    patience.say(f"Copying it to {asked.new_name}.")
    try:
        return await cluster.create(copy_of(asked, snapshot.storage if snapshot else None))
    except AlreadyExists:  # somebody says the same at the same time
        asked = replace(asked, new=await cluster.find(PIPELINE, asked.new_name))
        require_possible(asked)
        return asked.new or {}


async def _wait_for_takeover(cluster: Cluster, old: ApiObject, new: ApiObject, patience: WaitOptions) -> None:
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


async def _in_time(what: Callable[[], Awaitable[None]], patience: WaitOptions, sentence: str) -> None:
    try:
        async with asyncio.timeout(patience.seconds):
            await what()
    except TimeoutError as error:
        raise Refused(
            f"{sentence} within {patience.seconds:g} s, so the old one stays; is the operator at work? Say this again "
            "to go on."
        ) from error


async def _move_claim(
    cluster: Cluster, asked: Renaming, new: ApiObject, snapshot: Snapshot | None, means: RenameOptions
) -> None:
    """Give the storage to the new one; a Pipeline without a dataset of its own has claimed none."""
    spec = require(new, Pipeline).spec
    if spec.dataset is None or asked.old is None or spec.storage is None:
        return
    means.patience.say("Giving it the storage.")
    location = ClusterPlaces(cluster.namespace).storage(spec.storage, asked.new_name, "spec.storage", write=True)
    request = MoveClaim(
        location=location,
        old_uid=asked.old["metadata"]["uid"],
        pipeline=asked.new_name,
        pipeline_uid=new["metadata"]["uid"],
    )
    pod = StorageJob(
        request=request,
        image=storage_job_image(snapshot, means.image, means.version),
        pull_secrets=means.pull_secrets,
        general=snapshot.pods if snapshot else Pods(),
    )
    await run_storage_job(cluster, pod, PreviousOwner, means.patience)


async def _relabel_models(cluster: Cluster, old: str, new: str) -> None:
    for model in await cluster.list(MODEL, f"{LABEL}={old}"):
        await cluster.patch(MODEL, model["metadata"]["name"], {"metadata": {"labels": {LABEL: new}}})
