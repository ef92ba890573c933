"""The parts of the operator put together, and the life of the whole: begin, work, end in order."""

import asyncio
import logging
import math
import random
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

import kopf
from kubernetes.aio.client.configuration import Configuration

from penstock.act import handlers
from penstock.act.apply import Applier
from penstock.act.cache import ObjectCache
from penstock.act.kueue import follow_workloads
from penstock.act.metrics import OperatorMetrics
from penstock.act.queue import WorkQueue
from penstock.act.reconciler import Controller, Reconciler, run_workers
from penstock.act.resync import Resync
from penstock.act.settings import OperatorSettings
from penstock.act.view import View, index_keys
from penstock.api.quantities import read_duration
from penstock.kubernetes.client import Client
from penstock.kubernetes.follow import Connection
from penstock.kubernetes.kinds import Key
from penstock.kubernetes.rate_limit import RateLimiter

log = logging.getLogger(__name__)

LAG_EVERY = 5.0  # seconds between two measurements of the event loop
LAST_WORDS = 10.0  # seconds that the workers have to end what they are at

Controllers = Callable[[View, Client, OperatorSettings, Callable[[], datetime]], Mapping[str, Controller]]


class Operator:
    """An operator, not yet begun.

    Args:
        connection: what carries its requests, and a watch.
        settings: those of the operator.
        identity: which operator it is, for its events.
        controllers: makes the table of what is reconciled.
        left: how many seconds it may still write.
    """

    def __init__(
        self,
        connection: Connection,
        settings: OperatorSettings,
        identity: str,
        controllers: Controllers,
        left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.metrics = OperatorMetrics()
        limiter = RateLimiter(settings.api.requests_per_second, settings.api.burst)
        self.client = Client(connection, limiter, settings.api.concurrent_requests, self.metrics.count_write, left=left)
        self.queue: WorkQueue[Key] = WorkQueue(random.random)
        self.view = View(ObjectCache(index_keys), self.queue)
        interval = read_duration(settings.resync, "resync")
        self.resync = Resync(self.client, self.view, settings.namespaces, interval, random.random)
        applier = Applier(self.client, self.view, identity, _now)
        table = controllers(self.view, self.client, settings, _now)
        self.reconciler = Reconciler(table, self.view, applier, self.queue, self.metrics, _now)
        self._connection = connection
        self._settings = settings
        self._standing_by = settings.lease is not None
        self.metrics.watch(lambda: len(self.queue), lambda: max(time.time() - self.resync.age(), 0.0))

    def healthy(self) -> bool:
        """Return whether all objects were listed not too long ago; who stands by for the Lease has nothing to list."""
        return self._standing_by or self.resync.healthy()

    def ready(self) -> bool:
        """Return whether all objects were listed; who stands by is ready to."""
        return self._standing_by or self.resync.age() < float("inf")

    async def run(self, to: Configuration, ending: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """List, watch and work until told to end; then let the workers end what they are at.

        Args:
            to: where kopf watches, and as whom.
            ending: set by SIGTERM and SIGINT.
            ready: called once all was listed and the work begins.
        """
        self._standing_by = False
        log.info("Listing all objects.")
        await _unless(ending, self.resync.first())
        async with asyncio.TaskGroup() as group:
            workers = group.create_task(run_workers(self.reconciler, self._settings.workers), name="workers")
            working = self.resync.run(), self._listen_to_kueue(), _measure_lag(self.metrics)
            others = [group.create_task(each) for each in working]
            # Last: when it ends, kopf cancels each task that was begun after it.
            watching = group.create_task(self._watch(to, ending), name="watching")
            log.info("Working.")
            ready()
            await _unless(ending, asyncio.wait({watching}))
            self.queue.close()
            await asyncio.wait({workers}, timeout=LAST_WORDS)
            for task in (workers, *others, watching):
                task.cancel()
        log.info("Ended.")

    async def _listen_to_kueue(self) -> None:
        await follow_workloads(self.view.workloads, self.client, self._connection, self._settings.namespaces)

    async def _watch(self, to: Configuration, ending: asyncio.Event) -> None:
        # kopf puts its own handlers of signals in place of ours.
        started = asyncio.Event()
        signals = asyncio.create_task(_after(started, lambda: end_on_signal(ending)))
        try:
            await kopf.operator(
                registry=handlers.registry(to, self.view, self.resync),
                settings=handlers.settings(self.resync),
                memories=handlers.NoMemories(),
                standalone=True,
                clusterwide=not self._settings.namespaces,
                namespaces=self._settings.namespaces,
                ready_flag=started,
            )
        finally:
            signals.cancel()


def _now() -> datetime:
    return datetime.now(UTC)


def end_on_signal(ending: asyncio.Event) -> None:
    """Have SIGTERM and SIGINT set the event."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ending.set)


async def _after(event: asyncio.Event, then: Callable[[], None]) -> None:
    await event.wait()
    then()


async def _unless(ending: asyncio.Event, working: Coroutine[Any, Any, Any]) -> None:
    """Work until it is done or the end has come."""
    work, end = asyncio.ensure_future(working), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        work.cancel()
        end.cancel()


async def _measure_lag(metrics: OperatorMetrics) -> None:
    """Measure how late the event loop is: one blocking call stops every watch."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        metrics.observe_lag(max(loop.time() - due, 0.0))
