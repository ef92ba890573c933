"""One of several replicas works, the one that holds the Lease; the others stand by.

The rules are those of client-go's leader election (k8s.io/client-go/tools/leaderelection): whoever holds the Lease
renews it every `PERIOD`, and stops where it could not for `DEADLINE`; another takes it once it has not seen it renewed
for `DURATION`, which is longer. Each compares times of its own clock alone, and that clock goes on while the process,
or the machine, is held. So there are `DURATION - DEADLINE` seconds between the last write of one and the first of the
next, whatever hangs. The package `kubernetes` has an election too: it waits for each answer however long that takes,
and compares times of the day.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from penstock.act.settings import Lease
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import ApiError, Conflict
from penstock.kubernetes.kinds import LEASE, Object

log = logging.getLogger(__name__)

DURATION, DEADLINE, PERIOD = 15.0, 10.0, 2.0  # seconds
Clock = Callable[[], float]


class LeaseLost(Exception):
    """The Lease was lost; whoever loses it must end at once, since another may work by now."""


def read_clock() -> float:
    """Return seconds from a clock that never jumps, and goes on while the machine sleeps where there is such a one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Tenure:
    """How long this replica may still write: for `DEADLINE` from the moment at which its last renewal was sent.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Clock = read_clock) -> None:
        self.clock = clock
        self._until = -math.inf

    def extend(self, sent: float) -> None:
        """Count from the moment at which the renewal was sent that has succeeded."""
        self._until = sent + DEADLINE

    def end(self) -> None:
        """Let nothing be written any more."""
        self._until = -math.inf

    def left(self) -> float:
        """Return the seconds that are left, 0 or less where there are none."""
        return self._until - self.clock()


async def lead(
    client: Client,
    lease: Lease,
    identity: str,
    work: Callable[[], Coroutine[Any, Any, None]],
    *,
    tenure: Tenure,
    ending: asyncio.Event,
) -> None:
    """Wait for the Lease, then work while it is held, until the work ends; then let go of it for whoever stands by.

    Args:
        client: what asks for the Lease, and for nothing else: a request that waits for others would be late.
        lease: which one.
        identity: who we are, among the replicas.
        work: what is done while it is held.
        tenure: is told how long that is.
        ending: set where the process is to end; whoever stands by does so at once.

    Raises:
        LeaseLost: it was lost before the work ended.
    """
    log.info("Waiting for the Lease %s/%s.", lease.namespace, lease.name)
    election = _Election(client, lease, identity, tenure)
    acquiring = asyncio.create_task(election.acquire(), name="acquire the Lease")
    stopping = asyncio.create_task(ending.wait(), name="told to end")
    try:
        await _first_of(acquiring, stopping)
        if not acquiring.done():
            return
        working = asyncio.create_task(work(), name="work")
        keeping = asyncio.create_task(election.keep(), name="keep the Lease")
        try:
            await _first_of(working, keeping)
        finally:
            tenure.end()
            working.cancel()
            keeping.cancel()
        await election.release()
    finally:
        acquiring.cancel()
        stopping.cancel()


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait until one of them has ended, and raise what it ended with."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


class _Election:
    """The Lease, as this replica has seen it, and what it does about it."""

    def __init__(self, client: Client, lease: Lease, identity: str, tenure: Tenure) -> None:
        self._client = client
        self._lease = lease
        self._identity = identity
        self._tenure = tenure
        self._seen: Object | None = None
        self._seen_since = tenure.clock()

    async def acquire(self) -> None:
        """Return once the Lease is held."""
        while not await self._try():  # noqa: ASYNC110 - it is the API server that is waited for
            # Replicas that began together do not ask together for ever.
            await asyncio.sleep(PERIOD * (1 + 0.2 * random.random()))  # noqa: S311 - nothing is secret of it

    async def keep(self) -> None:
        """Renew the Lease as long as that succeeds.

        Raises:
            LeaseLost: it is another's, or could not be renewed in time.
        """
        while True:
            await asyncio.sleep(PERIOD)
            left = self._tenure.left()
            if left <= 0:
                raise LeaseLost(f"The Lease {self._name} was lost: it could not be renewed for {DEADLINE:g} s.")
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._renew()

    async def release(self) -> None:
        """Let go of the Lease, so that nobody waits for its end."""
        with suppress(ApiError, TimeoutError):  # it runs out by itself
            async with asyncio.timeout(PERIOD):
                await self._write({"holderIdentity": None})

    async def _try(self) -> bool:
        """Take the Lease where it is nobody's, or its holder has not renewed it for its whole duration."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._look()
                if not self._is_free():
                    return False
                sent = self._tenure.clock()
                await self._take()
        except (ApiError, TimeoutError) as error:
            log.warning("The Lease %s cannot be had: %s", self._name, error or "the API server does not answer.")
            return False
        self._tenure.extend(sent)
        return True

    async def _renew(self) -> None:
        sent = self._tenure.clock()
        try:
            await self._write({"holderIdentity": self._identity, "renewTime": _now()})
        except Conflict:
            await self._look()
            if self._holder() != self._identity:
                raise LeaseLost(f"The Lease {self._name} was lost: {self._holder() or 'nobody'} holds it.") from None
        except ApiError as error:
            log.warning("The Lease %s cannot be renewed: %s", self._name, error)
        else:
            self._tenure.extend(sent)

    async def _look(self) -> None:
        found = await self._client.get(LEASE, self._lease.namespace, self._lease.name)
        if found is None or self._seen is None or _version(found) != _version(self._seen):
            self._seen_since = self._tenure.clock()
        self._seen = found

    def _is_free(self) -> bool:
        if self._seen is None or not self._holder():
            return True
        # Of the same name is the process before us in this pod; it is gone, or we would not run.
        duration = float((self._seen.get("spec") or {}).get("leaseDurationSeconds") or DURATION)
        return self._holder() == self._identity or self._tenure.clock() - self._seen_since >= duration

    async def _take(self) -> None:
        now = _now()
        ours: dict[str, object] = {"holderIdentity": self._identity, "acquireTime": now, "renewTime": now}
        if self._seen is not None:
            before = int((self._seen.get("spec") or {}).get("leaseTransitions") or 0)
            await self._write({**ours, "leaseTransitions": before + (self._holder() != self._identity)})
            return
        metadata = {"name": self._lease.name, "namespace": self._lease.namespace}
        made = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata}
        spec = {**ours, "leaseDurationSeconds": int(DURATION), "leaseTransitions": 0}
        self._seen = await self._client.create({**made, "spec": spec})

    async def _write(self, spec: dict[str, object]) -> None:
        """Change the Lease where it is as we have seen it."""
        version = _version(self._seen) if self._seen is not None else ""
        content = {
            "metadata": {"resourceVersion": version},
            "spec": {**spec, "leaseDurationSeconds": int(DURATION)},
        }
        self._seen = await self._client.patch(LEASE, self._lease.namespace, self._lease.name, content)

    def _holder(self) -> str | None:
        holder = ((self._seen or {}).get("spec") or {}).get("holderIdentity")
        return str(holder) if holder else None

    @property
    def _name(self) -> str:
        return f"{self._lease.namespace}/{self._lease.name}"


def _version(found: Object) -> str:
    return str(found["metadata"]["resourceVersion"])


def _now() -> str:
    """Return the time as a Lease keeps it, for people; no replica compares it with its own."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
