"""A proxy in front of the API server that a test can make misbehave: it breaks watches, refuses, and counts writes.

Behind it is the real server, so all that the operator lives by (versions, conflicts, server-side apply, the garbage
collector) is real; only what goes wrong is made. It runs on a thread of its own.
"""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import load_kube_config

_KEPT = ("Content-Type", "Accept", "User-Agent")
# A list of what is in namespaces: /api/v1/PLURAL or /apis/GROUP/VERSION/PLURAL, and not of namespaces or definitions.
_OF_ALL_NAMESPACES = re.compile(r"(/api/v1|/apis/(?!apiextensions)[^/]+/[^/]+)/(?!namespaces|nodes)[^/]+$")
_LONG = aiohttp.ClientTimeout(total=None, sock_connect=10)


@dataclass(frozen=True)
class ProxyRequest:
    """A request that passed."""

    method: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass
class ApiProxy:
    """What passes, and what is done to it.

    Attributes:
        refuse: asked of each request that is no watch; what it returns is answered in place of the server: a status.
        before: told of each write before it goes to the server.
        after: told of each write that the server has made, before anybody hears of it.
        latency: seconds that each answer takes longer.
        only: the namespace that there is: what is listed or watched of all namespaces is what is in this one. The
            right to see them all is asked for as ever.
        forbidden: what the server refused for want of a right.
    """

    refuse: Callable[[ProxyRequest], int | None] = lambda asked: None
    before: Callable[[ProxyRequest], None] = lambda asked: None
    after: Callable[[ProxyRequest], None] = lambda asked: None
    latency: float = 0.0
    only: str | None = None
    forbidden: list[ProxyRequest] = field(default_factory=list)
    asked: list[ProxyRequest] = field(default_factory=list)
    most_in_flight: int = 0
    url: str = ""
    _in_flight: int = 0
    _watches: set[asyncio.Event] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    def writes(self) -> list[ProxyRequest]:
        """Return the writes that passed, in order."""
        return [each for each in self.asked if each.writes]

    def watches(self) -> int:
        """Return how many watches there are now."""
        return len(self._watches)

    def expire_watches(self) -> None:
        """End each watch as the API server does where it has forgotten what came before: with a 410."""
        assert self._loop is not None
        for each in tuple(self._watches):
            self._loop.call_soon_threadsafe(each.set)

    def hold_watches(self) -> None:
        """Let no watch tell anything, and none begin, until they are released."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._open.clear)

    def release_watches(self) -> None:
        """Let watches go on."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._open.set)

    def end(self) -> None:
        """End the proxy."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._ending.set)

    def kubeconfig(self, folder: Path) -> Path:
        """Write the kubeconfig of whoever goes by this proxy."""
        path = folder / "proxied-kubeconfig"
        context = {"name": "proxied", "context": {"cluster": "proxied", "user": "proxied"}}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxied",
            "clusters": [{"name": "proxied", "cluster": {"server": self.url}}],
            "users": [{"name": "proxied", "user": {}}],
            "contexts": [context],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    async def serve(self, kubeconfig: Path, started: Callable[[], None]) -> None:
        """Pass requests on until told to end."""
        self._loop = asyncio.get_running_loop()
        self._open.set()
        configuration = Configuration()
        await load_kube_config(str(kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call]
        async with ApiClient(configuration) as client:
            context = client.rest_client.ssl_context
            headers: dict[str, str] = {}
            await client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        async with aiohttp.ClientSession(configuration.host, connector=connector, headers=headers) as session:

            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._handle(session, request)

            application = web.Application(client_max_size=16 * 2**20)
            application.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started()
            await self._ending.wait()
            self.expire_watches()
            await runner.cleanup()

    async def _handle(self, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch"):
            return await self._watch(session, request)
        asked = ProxyRequest(request.method, request.path)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self.latency)
            if (code := self.refuse(asked)) is not None:
                return _refusal(code)
            if asked.writes:
                self.before(asked)
            self.asked.append(asked)
            async with self._forward(session, request, await request.read()) as response:
                content = await response.read()
            if asked.writes:
                self.after(asked)
            return web.Response(body=content, status=response.status, headers=_select_headers(response.headers))
        finally:
            self._in_flight -= 1

    async def _watch(self, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
        expired = asyncio.Event()
        self._watches.add(expired)
        streamed = web.StreamResponse()
        try:
            await self._open.wait()
            async with self._forward(session, request, b"") as response:
                streamed.set_status(response.status)
                streamed.headers.update(_select_headers(response.headers))
                await streamed.prepare(request)
                ends = asyncio.ensure_future(expired.wait())
                reads = asyncio.ensure_future(response.content.readany())
                while True:
                    await asyncio.wait({ends, reads}, return_when=asyncio.FIRST_COMPLETED)
                    if ends.done():
                        reads.cancel()
                        await streamed.write(json.dumps({"type": "ERROR", "object": _status(410)}).encode() + b"\n")
                        return streamed
                    if not (chunk := reads.result()):
                        ends.cancel()
                        return streamed
                    if self._open.is_set():  # what comes while they are held is lost
                        await streamed.write(chunk)
                    reads = asyncio.ensure_future(response.content.readany())
        except ConnectionError:  # whoever watched has gone
            return streamed
        finally:
            self._watches.discard(expired)

    @asynccontextmanager
    async def _forward(
        self, session: aiohttp.ClientSession, request: web.Request, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        url = self._narrow_path(request)
        async with session.request(request.method, url, data=body or None, headers=headers, timeout=_LONG) as response:
            if response.status == 403:
                self.forbidden.append(ProxyRequest(request.method, request.path_qs))
            yield response

    def _narrow_path(self, request: web.Request) -> str:
        """Return what the server is asked: of a list over all namespaces, that of the one that there is."""
        if self.only is None or request.method != "GET" or not _OF_ALL_NAMESPACES.match(request.path):
            return request.path_qs
        selected = [each for each in (request.query.get("fieldSelector"), f"metadata.namespace={self.only}") if each]
        return str(request.rel_url.update_query(fieldSelector=",".join(selected)))


@contextmanager
def run_proxy(kubeconfig: Path) -> Iterator[ApiProxy]:
    """Run a proxy in front of the API server of that kubeconfig."""
    proxy, started = ApiProxy(), threading.Event()

    def run() -> None:
        try:
            asyncio.run(proxy.serve(kubeconfig, started.set))
        finally:
            started.set()

    thread = threading.Thread(target=run, name="proxy", daemon=True)
    thread.start()
    started.wait(30)
    assert proxy.url, "The proxy did not start."
    try:
        yield proxy
    finally:
        proxy.end()
        thread.join(10)


def _status(code: int) -> dict[str, Any]:
    reason = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 503: "ServiceUnavailable"}.get(code, "Refused")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "code": code,
        "reason": reason,
        "message": f"refused by the test: {code}",
    }


def _refusal(code: int) -> web.Response:
    headers = {"Retry-After": "1"} if code == 429 else {}
    return web.json_response(_status(code), status=code, headers=headers)


def _select_headers(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in ("Content-Type", "Retry-After") if name in headers}
