"""One of several replicas works, the one that holds the Lease; the others stand by."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

from penstock.act.settings import Lease

log = logging.getLogger(__name__)

DURATION, DEADLINE, PERIOD = 15, 10, 2  # seconds: how long a Lease holds, is renewed for, and between two attempts


class Lost(Exception):
    """The Lease was lost; whoever loses it must end at once, since another works by now."""


async def lead(to: Configuration, lease: Lease, identity: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Wait for the Lease, then work while it is held, until the work ends.

    Raises:
        Lost: it was lost before the work ended.
    """
    held = asyncio.Event()

    async def hold() -> None:
        held.set()

    log.info("Waiting for the Lease %s/%s.", lease.namespace, lease.name)
    async with ApiClient(to) as client:
        lock = _PatientLock(lease.name, lease.namespace, identity, client)
        config = Config(lock, DURATION, DEADLINE, PERIOD, onstarted_leading=hold, onstopped_leading=_nothing)
        election = asyncio.create_task(LeaderElection(config).run(), name="leader election")
        try:
            await _first_of(asyncio.create_task(held.wait()), election)
            working = asyncio.create_task(work(), name="work")
            await _first_of(working, election)
            if not working.done():
                working.cancel()
                raise Lost(f"The Lease {lease.namespace}/{lease.name} was lost.")
        finally:
            election.cancel()


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait until one of them has ended, and raise what it ended with."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _nothing() -> None:
    pass


class _PatientLock(LeaseLock):
    """A lock for which an API server that does not answer is one that says no, and not the end of everything."""

    async def get(self, name: str, namespace: str) -> Any:
        try:
            return await super().get(name, namespace)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return False, ApiException(status=0, reason=f"no answer: {error}")
