"""One of several replicas works, the one that holds the Lease; the others stand by."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.aio.leaderelection.resourcelock.baselock import BaseLock

from penstock.act.settings import Lease
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import ApiError
from penstock.kubernetes.kinds import LEASE

log = logging.getLogger(__name__)

DURATION, DEADLINE, PERIOD = 15, 10, 2  # seconds: how long a Lease holds, is renewed for, and between two attempts


class LeaseLost(Exception):
    """The Lease was lost; whoever loses it must end at once, since another works by now."""


async def lead(client: Client, lease: Lease, identity: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Wait for the Lease, then work while it is held, until the work ends; then let go of it for whoever stands by.

    Raises:
        Lost: it was lost before the work ended.
    """
    held = asyncio.Event()

    async def hold() -> None:
        held.set()

    log.info("Waiting for the Lease %s/%s.", lease.namespace, lease.name)
    lock = RawLock(client, lease, identity)
    config = Config(lock, DURATION, DEADLINE, PERIOD, onstarted_leading=hold, onstopped_leading=_nothing)
    election = asyncio.create_task(LeaderElection(config).run(), name="leader election")
    try:
        await _first_of(asyncio.create_task(held.wait()), election)
        working = asyncio.create_task(work(), name="work")
        await _first_of(working, election)
        if not working.done():
            working.cancel()
            raise LeaseLost(f"The Lease {lease.namespace}/{lease.name} was lost.")
    finally:
        election.cancel()
    with suppress(ApiError):  # it runs out by itself
        await client.patch(LEASE, lease.namespace, lease.name, {"spec": {"holderIdentity": None}})


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait until one of them has ended, and raise what it ended with."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _nothing() -> None:
    pass


class RawLock(BaseLock):
    """The Lease, by our own client.

    The lock that comes with the package makes no Lease in version 37.0 (`pretty=True` is refused by its own check), and
    lets an API server that does not answer end everything; here that is a no.
    """

    def __init__(self, client: Client, lease: Lease, identity: str) -> None:
        super().__init__(lease.name, lease.namespace, identity)
        self._client = client
        self._version = ""

    async def get(
        self, name: str, namespace: str
    ) -> tuple[bool, LeaderElectionRecord] | tuple[bool, Exception] | tuple[bool, None]:
        """Return the Lease as it is, or why there is none."""
        try:
            found = await self._client.get(LEASE, namespace, name)
        except ApiError as error:
            return False, ApiException(status=error.status, reason=str(error))
        if found is None:
            absent = ApiException(status=404, reason="NotFound")
            absent.body = '{"code": 404}'
            return False, absent
        self._version = found["metadata"]["resourceVersion"]
        spec = found.get("spec") or {}
        seconds = spec.get("leaseDurationSeconds")
        return True, LeaderElectionRecord(
            spec.get("holderIdentity"),
            None if seconds is None else str(seconds),
            spec.get("acquireTime"),
            spec.get("renewTime"),
        )

    async def create(self, name: str, namespace: str, election_record: LeaderElectionRecord) -> bool:
        """Make the Lease, held by us; False where another was quicker."""
        metadata = {"name": name, "namespace": namespace}
        made = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": metadata,
            "spec": _spec(election_record),
        }
        try:
            await self._client.create(made | {"spec": _spec(election_record)})
        except ApiError as error:
            log.warning("The Lease cannot be made: %s", error)
            return False
        return True

    async def update(self, name: str, namespace: str, updated_record: LeaderElectionRecord) -> bool:
        """Hold the Lease; False where it is not as it was when we looked."""
        content = {"metadata": {"resourceVersion": self._version}, "spec": _spec(updated_record)}
        try:
            await self._client.patch(LEASE, namespace, name, content)
        except ApiError as error:
            log.warning("The Lease cannot be held: %s", error)
            return False
        return True


def _spec(record: LeaderElectionRecord) -> dict[str, object]:
    return {
        "holderIdentity": record.holder_identity,
        "leaseDurationSeconds": DURATION,
        "acquireTime": _moment(record.acquire_time),
        "renewTime": _moment(record.renew_time),
    }


def _moment(said: str | None) -> str | None:
    """Return a moment as Kubernetes writes it; the package says local time without saying so."""
    if said is None:
        return None
    return datetime.fromisoformat(said).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
