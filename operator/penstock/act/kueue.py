"""Why Kueue holds a Job back, in its own words: they are in the Workload that it keeps beside the Job.

They are heard of by a watch, which begins with the first Job in a queue: there may be thousands, and none is asked
after. Kueue need not be there, and the operator need not have the right to ask it: then the queue's name has to do.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from penstock.decide.objects.job import QUEUE
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import NotFound, Rejected, Transient
from penstock.kubernetes.follow import Connection, Follower
from penstock.kubernetes.kinds import Key, Kind, Object, controller_of

log = logging.getLogger(__name__)

JOB_UID = "kueue.x-k8s.io/job-uid"  # the label that Kueue gives a Workload
# The newest first; older installations have only the other.
WORKLOADS = tuple(Kind("kueue.x-k8s.io", version, "workloads", "Workload") for version in ("v1beta2", "v1beta1"))
ABSENT = 300.0  # seconds after which it is seen whether Kueue is there by now
_METADATA = ("name", "namespace", "resourceVersion", "labels", "ownerReferences")


def is_queued(job: Object) -> bool:
    """Return whether the Job waits in a queue of Kueue."""
    return bool(job["spec"].get("suspend")) and QUEUE in (job["metadata"].get("labels") or {})


class _Held(NamedTuple):
    job: Key
    message: str


class Workloads:
    """What Kueue says of the Jobs that it holds back, by their uids; of the others nothing is kept.

    Args:
        changed: told of each Job of which Kueue says something else than before.
    """

    def __init__(self, changed: Callable[[Key], None]) -> None:
        self._changed = changed
        self._held: dict[str, _Held] = {}
        self.wanted = asyncio.Event()
        """Whether anybody asked since it was last seen that Kueue is not there."""

    def events_about(self, job: Object) -> tuple[Object, ...]:
        """Return what Kueue says of the Job, in the form of an Event about it; empty where it says nothing.

        Its conditions are documented at https://kueue.sigs.k8s.io/docs/concepts/workload/.
        """
        self.wanted.set()
        uid = job["metadata"]["uid"]
        held = self._held.get(uid)
        if held is None:
            return ()
        return ({"involvedObject": {"uid": uid}, "metadata": {}, "reason": "Pending", "message": held.message},)

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        there = {_job_uid(each) for each in found}
        for uid, held in list(self._held.items()):
            if namespace in (None, held.job.namespace) and uid not in there:
                del self._held[uid]
        for each in found:
            self.put(each)

    def put(self, found: Object) -> None:
        """Take in a Workload that is new or has changed."""
        message, owner = _why(found), controller_of(found)
        if message is None or owner is None:
            self.remove(found)
            return
        held = _Held(Key("Job", found["metadata"]["namespace"], str(owner["name"])), message)
        if self._held.get(_job_uid(found)) != held:
            self._held[_job_uid(found)] = held
            self._changed(held.job)

    def remove(self, found: Object) -> None:
        """Forget a Workload that is gone, or does not wait any more."""
        self._held.pop(_job_uid(found), None)


async def follow_workloads(
    workloads: Workloads, client: Client, connection: Connection, namespaces: Sequence[str]
) -> None:
    """Keep the Workloads as Kueue has them, from when somebody asks for them on, for ever."""
    places: Sequence[str | None] = namespaces or (None,)
    while True:
        await workloads.wanted.wait()
        kind = await _served_kind(client, places[0])
        if kind is not None:
            break
        await asyncio.sleep(ABSENT)
        workloads.wanted.clear()
    log.info("Listening to what Kueue says of Jobs in queues.")
    async with asyncio.TaskGroup() as group:
        for each in places:
            follower = Follower(client, connection, kind, each, JOB_UID, workloads, time.monotonic, _trim)
            group.create_task(follower.run())


async def _served_kind(client: Client, namespace: str | None) -> Kind | None:
    """Return the Workload that the API server has and lets us see; None where there is none, or it cannot say now."""
    for kind in WORKLOADS:
        try:
            await client.each(kind, namespace, f"{JOB_UID}=none", lambda found: None)
        except NotFound:
            continue
        except (Rejected, Transient):
            return None
        return kind
    return None


def _trim(workload: Object) -> Object:
    metadata = {name: workload["metadata"][name] for name in _METADATA if name in workload["metadata"]}
    return {"metadata": metadata, "status": {"conditions": (workload.get("status") or {}).get("conditions")}}


def _job_uid(workload: Object) -> str:
    return str((workload["metadata"].get("labels") or {}).get(JOB_UID))


def _why(workload: Object) -> str | None:
    """Return why the Workload has no quota, or was put back into the queue."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    for kind, status in (("QuotaReserved", "False"), ("Admitted", "False")):
        for each in conditions:
            if each.get("type") == kind and each.get("status") == status and each.get("message"):
                return str(each["message"])
    return None
