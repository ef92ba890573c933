"""The socket that events come in by: connections are counted before anything is spent on them, TLS above all."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from penstock.decide.events.limits import Limits
from penstock.receiver.connections import Connection, Connections

log = logging.getLogger(__name__)

HEADERS, HEADER_BYTES = 64, 4096  # in number, and of each
LAST_WORDS = 20.0  # seconds that requests have to end
_BACKLOG = 1024
_PAUSE = 0.05  # seconds, where the process has no more file descriptors
_UNREAD = 1.0  # seconds in which the rest of a body is passed over that was refused unread

# What it says of requests that cannot be read is counted instead: a stranger could fill the log.
_silent = logging.getLogger(f"{__name__}.http")
_silent.setLevel(logging.CRITICAL)

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer(web.Server):
    """aiohttp's server, which tells of connections, and of requests that were none.

    Args:
        handle: answers a request.
        connections: those that are open.
        malformed: told of each request that cannot be read.
        seconds: how long the headers of a request may take to arrive.
    """

    def __init__(self, handle: Handle, connections: Connections, malformed: Callable[[], None], seconds: float) -> None:
        super().__init__(
            handle,
            request_factory=self._count_request,
            access_log=None,
            logger=_silent,
            auto_decompress=False,
            keepalive_timeout=seconds,
            lingering_time=_UNREAD,
            max_headers=HEADERS,
            max_line_size=HEADER_BYTES,
            max_field_size=HEADER_BYTES,
        )
        self._guard = connections
        self._malformed = malformed

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Take note of a connection that can be spoken on."""
        super().connection_made(handler, transport)
        self._guard.opened(handler, transport.abort)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Take note of a connection that is closed."""
        super().connection_lost(handler, exc)
        self._guard.lost(handler)

    def _count_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if message.method == "UNKNOWN":  # what aiohttp makes of a request that it cannot read
            self._malformed()
        return self._make_request(message, payload, protocol, writer, task)


class Listener:
    """Accepts connections until it is closed.

    Args:
        server: speaks HTTP on them.
        connections: those that are open.
        certificates: for TLS; without it there is none.
        limits: how long a client may take.
    """

    def __init__(
        self, server: HttpServer, connections: Connections, certificates: ssl.SSLContext | None, limits: Limits
    ) -> None:
        self._server, self._connections = server, connections
        self._certificates, self._limits = certificates, limits
        self._opening: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Accept connections on this port (0: any that is free); yields the port."""
        listening = _listen(port)
        accepting = asyncio.ensure_future(self._accept(listening))
        try:
            yield listening.getsockname()[1]
        finally:
            accepting.cancel()
            listening.close()
            for task in self._opening:
                task.cancel()
            self._server.pre_shutdown()
            await self._server.shutdown(LAST_WORDS)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("A connection cannot be accepted: %s", error)
                await asyncio.sleep(_PAUSE)
                continue
            self._admit(client)
            # However many come: each of those that are open has its turn before the next one takes a place.
            await asyncio.sleep(0)

    def _admit(self, client: socket.socket) -> None:
        connection = Connection(client.close)
        if not self._connections.admit(connection):
            client.close()
            return
        client.setblocking(False)
        opening = asyncio.ensure_future(self._open(client, connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, client: socket.socket, connection: Connection) -> None:
        """Begin to speak on a connection: with TLS, which the client may take its time for."""
        if client.fileno() < 0:
            return  # it had to make room before its turn came
        opening = asyncio.current_task()
        assert opening is not None
        connection.abort = opening.cancel
        protocol = self._server()
        self._connections.name(connection, protocol)
        tls = self._certificates
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                client,
                ssl=tls,
                ssl_handshake_timeout=float(self._limits.seconds) if tls else None,
                ssl_shutdown_timeout=_UNREAD if tls else None,
            )
        except (OSError, TimeoutError, asyncio.CancelledError):
            # It went away, speaks no TLS, or had to make room. Nobody waits for this task, and what refers to itself
            # would stay until the next collection of garbage: thousands of these.
            protocol.connection_lost(None)


def _listen(port: int) -> socket.socket:
    """Return a socket that listens, on both families of addresses where the machine has both."""
    found = socket.create_server(
        ("", port),
        family=socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET,
        backlog=_BACKLOG,
        dualstack_ipv6=socket.has_dualstack_ipv6(),
    )
    found.setblocking(False)
    return found
