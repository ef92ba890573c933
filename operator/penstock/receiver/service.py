"""The parts of the receiver put together, and its life: follow, answer, end in order."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from penstock.daemon.health import Probe, health_server
from penstock.decide.objects.children import TRIGGER_AWAITED
from penstock.kubernetes.client import Client
from penstock.kubernetes.follow import Connection, Follower
from penstock.kubernetes.kinds import RUN, TRIGGER
from penstock.kubernetes.rate_limit import RateLimiter
from penstock.kubernetes.watch import LineConnection
from penstock.receiver.callers import Callers
from penstock.receiver.certificates import Certificates
from penstock.receiver.connections import Connections
from penstock.receiver.follow import PendingRuns, TriggerStore
from penstock.receiver.keeper import Keeper
from penstock.receiver.keys import Keys
from penstock.receiver.listener import HttpServer, Listener
from penstock.receiver.metrics import ReceiverMetrics
from penstock.receiver.notices import Notices
from penstock.receiver.server import Receiver
from penstock.receiver.settings import ReceiverSettings

log = logging.getLogger(__name__)

REVIEWS_A_SECOND, REVIEWS_AT_ONCE = 50.0, 8
"""How fast the API server is asked about callers, beside what it is asked for events."""


class ReceiverService:
    """A receiver, not yet begun.

    Args:
        connection: what carries its requests to the API server.
        settings: those of the receiver.
        identity: which receiver it is, for its events.
        now: the time.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        connection: Connection,
        settings: ReceiverSettings,
        identity: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self.metrics = metrics = ReceiverMetrics()
        limiter = RateLimiter(settings.api.requests_per_second, settings.api.burst)
        client = Client(connection, limiter, settings.api.concurrent_requests, metrics.count_write)
        reviews = RateLimiter(REVIEWS_A_SECOND, int(REVIEWS_A_SECOND))
        self._callers = Callers(Client(connection, reviews, REVIEWS_AT_ONCE), settings.audience, metrics, clock)
        self.triggers, self.pending = TriggerStore(), PendingRuns()
        self.followers = _followers(settings, client, connection, self.triggers, self.pending, clock)
        self.connections = Connections(settings.limits.connections, metrics.count_closed)
        notices = Notices(client, identity, now, clock)
        self.receiver = Receiver(
            self.triggers,
            self._callers,
            Keys(None if settings.keys is None else Path(settings.keys)),
            Keeper(client, self.pending, settings.limits.pending, notices, now, clock),
            self.connections,
            metrics,
            settings.limits,
            now,
        )
        metrics.watch(
            lambda: len(self.connections), lambda: len(self.pending), lambda: float(self.receiver.bodies.held)
        )

    def healthy(self) -> bool:
        """Return whether the API server was heard not too long ago, or has yet to be."""
        return all(each.healthy() for each in self.followers if each.listed.is_set())

    def ready(self) -> bool:
        """Return whether all Triggers are known, and requests are still taken."""
        return not self.receiver.ending and all(each.listed.is_set() for each in self.followers)

    async def run(self, started: Callable[[int, int], None] = lambda port, health_port: None) -> None:
        """Follow, and answer requests, until SIGTERM or SIGINT; then end what was begun.

        Args:
            started: told of the ports, once requests are answered.
        """
        ending = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, ending.set)
        await self.serve(ending, started)

    async def serve(self, ending: asyncio.Event, started: Callable[[int, int], None]) -> None:
        """Answer until the end has come, and then for as long as it takes until everybody knows."""
        settings = self._settings
        certificates = None if settings.certificates is None else Certificates(Path(settings.certificates))
        server = HttpServer(
            self.receiver.handle,
            self.connections,
            lambda: self.metrics.count_refusal("malformed"),
            settings.limits.seconds,
        )
        context = None if certificates is None else certificates.context
        listener = Listener(server, self.connections, context, settings.limits)
        async with AsyncExitStack() as stack:
            tasks = [asyncio.ensure_future(each.run()) for each in self.followers]
            if certificates is not None:
                tasks.append(asyncio.ensure_future(certificates.follow()))
            stack.push_async_callback(_cancel, tasks)
            probes = (
                Probe(self.healthy, "The API server was not heard for too long."),
                Probe(self.ready, "Not all Triggers are known yet, or it ends."),
            )
            health_port = await stack.enter_async_context(
                health_server(settings.health_port, self.metrics.text, *probes)
            )
            if await _is_ended(ending, tasks, asyncio.gather(*(each.listed.wait() for each in self.followers))):
                return
            port = await stack.enter_async_context(listener.listening(settings.port))
            log.info("Taking events on port %s.", port)
            started(port, health_port)
            await _is_ended(ending, tasks)
            self.receiver.ending = True
            await asyncio.sleep(settings.drain)
        log.info("Ended.")


def _followers(
    settings: ReceiverSettings,
    client: Client,
    connection: LineConnection,
    triggers: TriggerStore,
    pending: PendingRuns,
    clock: Callable[[], float],
) -> list[Follower]:
    """Return what follows the Triggers, and the runs that wait for them, wherever the receiver works."""
    return [
        Follower(client, connection, kind, namespace, selector, store, clock)
        for namespace in settings.namespaces or (None,)
        for kind, selector, store in ((TRIGGER, None, triggers), (RUN, TRIGGER_AWAITED, pending))
    ]


async def _is_ended(
    ending: asyncio.Event, tasks: Sequence["asyncio.Future[None]"], work: "asyncio.Future[Any] | None" = None
) -> bool:
    """Wait until the work is done, or the end has come; return whether it has.

    A task that ends by itself has a fault, which is raised here.
    """
    end: asyncio.Future[Any] = asyncio.ensure_future(ending.wait())
    awaited: set[asyncio.Future[Any]] = {end, *tasks, *([work] if work is not None else [])}
    try:
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        for each in tasks:
            if each.done():
                each.result()
        return ending.is_set()
    finally:
        for each in awaited - {*tasks}:
            each.cancel()


async def _cancel(tasks: Sequence["asyncio.Future[None]"]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
