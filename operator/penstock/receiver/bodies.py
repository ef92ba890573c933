"""The bodies of requests: read within bounds of size and time, and so many bytes of all of them at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from penstock.decide.events.limits import Limits
from penstock.decide.events.refusal import RequestRefused, too_large, unavailable
from penstock.receiver.connections import Connections

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class Holding:
    """How many bytes of a body are held."""

    size: int = 0


class Bodies:
    """Reads bodies, and knows how many bytes are held."""

    def __init__(self, limits: Limits, connections: Connections) -> None:
        self._limits, self._connections = limits, connections
        self.held = 0

    @contextmanager
    def holding(self) -> Iterator[Holding]:
        """Hold one body, until this is left."""
        holding = Holding()
        try:
            yield holding
        finally:
            self.held -= holding.size

    async def read(self, request: web.BaseRequest, holding: Holding) -> bytes:
        """Return the body of the request.

        Raises:
            RequestRefused: it is too large or too slow, or there is no room for it.
        """
        check_length(request, self._limits)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(_CONTINUE)
            request.writer.output_size = 0
        found = bytearray()
        try:
            with self._connections.waiting(request.protocol):
                async with asyncio.timeout(self._limits.seconds):
                    async for chunk in request.content.iter_any():
                        self._hold(holding, len(chunk))
                        found += chunk
        except TimeoutError as error:
            sentence = f"The body took longer than {self._limits.seconds} seconds to arrive; send it at once."
            raise RequestRefused(408, "slow", sentence) from error
        return bytes(found)

    def _hold(self, holding: Holding, size: int) -> None:
        holding.size += size
        self.held += size
        if holding.size > self._limits.body:
            raise _too_large(self._limits)
        if self.held > self._limits.bodies:
            raise unavailable("Too much arrives at once; send it again.", 1)


def check_length(request: web.BaseRequest, limits: Limits) -> None:
    """Raise `RequestRefused` where the request says that it is too large, before any of it is read."""
    if (request.content_length or 0) > limits.body:
        raise _too_large(limits)


def _too_large(limits: Limits) -> RequestRefused:
    return too_large(f"The body is larger than {limits.body} bytes; send less at once.")
