"""What can be asked over HTTP of a process that stays: whether it is well, whether it works, what it has counted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from penstock.daemon.metrics import CONTENT_TYPE


@dataclass(frozen=True)
class Probe:
    """A question with the answer yes or no, and what is said instead of yes."""

    ask: Callable[[], bool]
    otherwise: str


@asynccontextmanager
async def health_server(port: int, metrics: Callable[[], bytes], healthy: Probe, ready: Probe) -> AsyncIterator[int]:
    """Answer `/healthz`, `/readyz` and `/metrics` on this port (0: any that is free); yields the port."""

    async def answer_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/healthz", _answering(healthy))
    application.router.add_get("/readyz", _answering(ready))
    application.router.add_get("/metrics", answer_metrics)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, None, port)
        await site.start()
        # With port 0 each family of addresses has a port of its own; this is IPv4's.
        yield next(address[1] for address in runner.addresses if len(address) == 2)
    finally:
        await runner.cleanup()


def _answering(probe: Probe) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="ok") if probe.ask() else web.Response(status=503, text=probe.otherwise)

    return answer
