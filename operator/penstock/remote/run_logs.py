"""The logs of a run's pods: each line once, though connections break and pods come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from penstock.decide.objects.children import RUN_UID, STEP
from penstock.decide.objects.pod import CONTAINER
from penstock.kubernetes.errors import ApiError, NotFound, Rejected
from penstock.kubernetes.kinds import POD, Object
from penstock.remote.cluster import Cluster
from penstock_jobs.contract.termination_message import MARK

ATTEMPTS = 10  # connections that broke one after the other, without a line in between
_PAUSE = 1.0  # seconds
_COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
_MARK = MARK.encode()
_AGAIN = "-again"  # testing that was done once more, beside a Model that has been served since


@dataclass(frozen=True)
class LogOf:
    """A pod whose log is read: its step, and its place among the pods that share the step's work."""

    pod: str
    step: str
    index: int | None = None


Take = Callable[[LogOf, bytes], None]


def logs_of(pods: Iterable[Object], step: str | None = None) -> list[LogOf]:
    """Return the logs that there are, in the order in which their pods were made; of one step where one is named."""
    started = [each for each in pods if _has_started(each) and STEP in _labels(each)]
    ordered = sorted(started, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
    found = [LogOf(each["metadata"]["name"], _labels(each)[STEP], _index(each)) for each in ordered]
    return [each for each in found if step in (None, each.step, each.step.removesuffix(_AGAIN))]


async def pods_of(cluster: Cluster, run: Object) -> list[Object]:
    """Return the pods of a run that are there."""
    return await cluster.list(POD, _selector(run))


async def lines_of(cluster: Cluster, log: LogOf, *, follow: bool) -> AsyncIterator[bytes]:
    """Yield the lines of one log; to its end where it is followed. A pod that is gone has no more of them."""
    last, broken = "", 0
    while broken < ATTEMPTS:
        query: dict[str, object] = {"container": CONTAINER, "timestamps": "true"}
        query |= ({"follow": "true"} if follow else {}) | ({"sinceTime": last} if last else {})
        told = last  # before the connection broke
        try:
            async for line in cluster.log(log.pod, query):
                stamp, _, said = line.partition(b" ")
                moment = stamp.decode("ascii", "replace")
                if told and moment <= told:
                    continue
                last, broken = moment, 0
                if not said.startswith(_MARK):
                    yield said
            return
        except (NotFound, Rejected) as error:
            if error.status == 403:
                raise
            return
        except ApiError:
            broken += 1
            await asyncio.sleep(_PAUSE)


async def follow(cluster: Cluster, run: Object, take: Take, ended: asyncio.Event, step: str | None = None) -> None:
    """Hand over every line of the run's pods as it comes, until the run has ended and all is read."""
    reading: dict[str, asyncio.Task[None]] = {}

    async def read(log: LogOf) -> None:
        async for line in lines_of(cluster, log, follow=True):
            take(log, line)

    async def look() -> None:
        async for there in cluster.watch(POD, labels=_selector(run)):
            for log in logs_of(there.values(), step):
                if log.pod not in reading:
                    reading[log.pod] = asyncio.create_task(read(log))

    looking = asyncio.create_task(look())
    over = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({looking, over}, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            await looking  # it only ends where it fails
        await asyncio.gather(*reading.values())
    finally:
        for task in (looking, over, *reading.values()):
            task.cancel()


def _selector(run: Object) -> str:
    return f"{RUN_UID}={run['metadata']['uid']}"


def _has_started(pod: Object) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(state in (each.get("state") or {}) for each in statuses for state in ("running", "terminated"))


def _labels(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}


def _index(pod: Object) -> int | None:
    metadata: dict[str, Any] = pod["metadata"]
    said = (metadata.get("annotations") or {}).get(_COMPLETION_INDEX)
    return None if said is None else int(said)
