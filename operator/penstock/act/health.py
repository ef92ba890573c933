"""What can be asked of the operator over HTTP: whether it is well, whether it works, what it has counted.

Well is who has listed all objects not too long ago. That needs the event loop, the connection and the credentials; a
process that is deaf in any of them is started anew by its kubelet.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from penstock.act.metrics import CONTENT_TYPE, OperatorMetrics


@asynccontextmanager
async def health_server(
    port: int, metrics: OperatorMetrics, healthy: Callable[[], bool], ready: Callable[[], bool]
) -> AsyncIterator[int]:
    """Answer `/healthz`, `/readyz` and `/metrics` on this port (0: any that is free); yields the port."""

    async def answer_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/healthz", _answering(healthy, "All objects were listed too long ago."))
    application.router.add_get("/readyz", _answering(ready, "The objects were not all listed yet."))
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


def _answering(asked: Callable[[], bool], otherwise: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="ok") if asked() else web.Response(status=503, text=otherwise)

    return answer
