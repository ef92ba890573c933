"""One connection: requests are read from it, answered in their order, and each wait for its client has a deadline."""

import asyncio
from collections import deque
from http import HTTPStatus
from time import perf_counter
from typing import cast

from penstock_jobs.serving.connections import Connections
from penstock_jobs.serving.framing import RequestReader
from penstock_jobs.serving.messages import HttpAnswer, HttpRequest
from penstock_jobs.serving.refusals import RefusedRequest, too_busy

_LINGER = 2.0  # seconds in which the rest of what was refused is passed over, so that its client reads why
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}

# What a connection is at. It waits for its client in all but `WORKING`.
IDLE, HEAD, BODY, WORKING, WRITING, LINGERING = "idle", "head", "body", "working", "writing", "lingering"


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with one client.

    Attributes:
        held: bytes that are held for it.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._application = connections.application
        self._limits = connections.limits
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader(self, self._limits)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[HttpRequest | RefusedRequest] = deque()
        self._current: HttpRequest | RefusedRequest | None = None
        self._arriving = IDLE  # of the request that is being read
        self._state = IDLE
        self._since = self._loop.time()
        self._blocked = self._paused = self._ended = False
        self._unread = 0  # bytes of the answer that the client has not taken
        self.held = 0

    # --- what the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's, which is of no class of asyncio's
        # Told of every byte that does not go out at once: that is what is held for a client who does not read.
        self._transport.set_write_buffer_limits(high=0)
        self._connections.add(self)
        self._wait(IDLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._transport = None
        self._queue.clear()
        self._reader.close()
        self._connections.forget(self)

    def data_received(self, data: bytes) -> None:
        """Read what came, unless nothing of it is wanted any more."""
        if self._reader.over:
            return
        try:
            self._reader.read(data)
        except RefusedRequest as refusal:
            self._refuse(refusal)

    def eof_received(self) -> bool:
        """Go on answering where a client has said all that it will and waits; return whether there is any such."""
        self._ended = True
        if self._state == LINGERING or (self._current is None and self._arriving == IDLE):
            return False
        if not self._reader.over:
            self._reader.over = True
            if self._arriving != IDLE:
                self._refuse(RefusedRequest("The client stopped in the middle of its request; send all of it."))
        return self._transport is not None and not self._transport.is_closing()

    def pause_writing(self) -> None:
        """Take note that the client does not read as fast as it is answered."""
        self._blocked = True

    def resume_writing(self) -> None:
        """Go on once the client has read its answer."""
        self._blocked = False
        if self._state == WRITING:
            self._finish_answer()

    # --- what the reader of requests calls ----------------------------------------------------------------------------

    def begin_request(self) -> None:
        """Take note that a request begins."""
        self._arrive(HEAD)

    def wants_body(self, request: HttpRequest) -> bool:
        """Return whether the request is one for predictions."""
        return self._application.takes_body(request)

    def begin_body(self, request: HttpRequest, *, expects_word: bool) -> None:
        """Wait for the body, and say so to a client who waits for that."""
        request.started = perf_counter()
        self._arrive(BODY)
        if expects_word and self._current is None and not self._queue and self._transport is not None:
            self._transport.write(_CONTINUE)

    def take_body(self, size: int) -> None:
        """Hold so much more of a body."""
        if not self._connections.hold(self, size):
            raise too_busy("Too much arrives at once; send it again.")

    def end_request(self, request: HttpRequest) -> None:
        """Answer a request, when those before it are."""
        self._arriving = IDLE
        if len(self._queue) >= self._limits.pipelined:
            raise RefusedRequest("Too many requests are sent before the answers to those before them are read.", 429)
        self._queue.append(request)
        self._go_on()

    # --- what all connections are told --------------------------------------------------------------------------------

    def give_way(self) -> None:
        """Close it for the good of others; a client in the middle of a request reads why."""
        if self._state in (HEAD, BODY) and self._transport is not None:
            self._reader.over = True
            refusal = too_busy("The server has too many clients, of whom this one took longest; send it again.")
            self._transport.write(self._render(self._application.refuse(refusal), last=True, method="POST")[0])
            self._transport.close()
        elif self._state == IDLE and self._transport is not None:
            self._transport.close()
        else:
            self.abort()

    def look_at_deadline(self, now: float) -> None:
        """End what its client takes too long for."""
        waited, limits = now - self._since, self._limits
        if self._state == HEAD and waited > limits.header_seconds:
            self._refuse(_too_slow("line and headers of the request", limits.header_seconds))
        elif self._state == BODY and waited > limits.body_seconds:
            self._refuse(_too_slow("body", limits.body_seconds))
        elif self._state == IDLE and waited > limits.idle_seconds and self._transport is not None:
            self._transport.close()
        elif (self._state == WRITING and waited > limits.answer_seconds) or (
            self._state == LINGERING and waited > _LINGER
        ):
            self.abort()

    def drain(self) -> None:
        """Close it, at once or with its next answer."""
        if self._state == IDLE and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close it now."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------------------------------------------------------

    def _arrive(self, state: str) -> None:
        self._arriving = state
        if self._current is None:
            self._wait(state)

    def _wait(self, state: str) -> None:
        self._state = state
        self._since = self._loop.time()
        self._connections.begin_waiting(self)

    def _refuse(self, refusal: RefusedRequest) -> None:
        """Say why nothing more is read, once what came before it is answered."""
        self._reader.close()
        self._arriving = IDLE
        self._queue.append(refusal)
        self._release_unneeded()
        self._go_on()

    def _go_on(self) -> None:
        """Answer the next request, if none is being answered."""
        if self._transport is None or self._state == LINGERING:
            return
        if self._current is not None:
            if not self._paused and self._queue:
                self._paused = True
                self._transport.pause_reading()
            return
        if not self._queue:
            self._rest()
            return
        self._current = current = self._queue.popleft()
        if isinstance(current, RefusedRequest):
            self._write(self._application.refuse(current))
        elif not self._application.takes_body(current):
            self._write(self._application.answer_page(current))
        elif self._connections.turns.requests >= self._limits.requests:
            self._write(self._application.refuse(too_busy("Too many requests are being answered; send it again.")))
        else:
            self._state = WORKING
            self._connections.end_waiting(self)
            self._connections.turns.add(current, self._write)

    def _rest(self) -> None:
        """Wait for the next request, or for the rest of it; or close, where there is none to come."""
        assert self._transport is not None
        if self._connections.draining and self._arriving == IDLE:
            self._transport.close()
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._wait(self._arriving)

    def _write(self, answer: HttpAnswer) -> None:
        current, transport = self._current, self._transport
        if transport is None or current is None or transport.is_closing():
            return  # its client is gone
        method = current.method if isinstance(current, HttpRequest) else "POST"
        pieces = self._render(answer, last=not self._stays_open(), method=method)
        if len(pieces) == 1:
            transport.write(pieces[0])
        else:
            transport.writelines(pieces)
        if not self._blocked:
            self._finish_answer()
            return
        self._wait(WRITING)
        self._unread = transport.get_write_buffer_size()
        if not self._connections.hold(self, self._unread):
            self.abort()

    def _finish_answer(self) -> None:
        current, self._current = self._current, None
        last = not self._stays_open(current)
        self._unread = 0
        if self.held:
            self._release_unneeded()
        if self._transport is None:
            return
        if not last:
            self._go_on()
        elif isinstance(current, RefusedRequest) and not self._ended:
            self._linger()
        else:
            self._transport.close()

    def _release_unneeded(self) -> None:
        """Hold no more than the bodies that are to be answered, or that arrive, and what the client has not read."""
        requests = (self._current, *self._queue)
        needed = sum(len(request.body) for request in requests if isinstance(request, HttpRequest))
        self._connections.release(self, self.held - needed - self._unread - self._reader.size)

    def _stays_open(self, current: HttpRequest | RefusedRequest | None = None) -> bool:
        current = current or self._current
        stays = isinstance(current, HttpRequest) and current.keep_alive
        return stays and not (self._connections.draining and not self._queue) and not (self._ended and not self._queue)

    def _linger(self) -> None:
        """Pass over what still comes of a refused request: closing at once might take the answer from its client."""
        assert self._transport is not None
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._transport.write_eof()
        self._wait(LINGERING)

    def _render(self, answer: HttpAnswer, *, last: bool, method: str) -> list[bytes]:
        """Return the bytes of an answer: in one piece where it is small."""
        size = sum(map(len, answer.body))
        head = [_STATUS_LINES[answer.status], b"content-type: ", answer.kind, b"\r\ncontent-length: %d\r\n" % size]
        head.append(self._application.identity)
        head += [b"%s: %s\r\n" % header for header in answer.headers]
        if last:
            head.append(b"connection: close\r\n")
        head.append(b"\r\n")
        body = () if method == "HEAD" else answer.body
        if size > _JOINED:
            return [b"".join(head), *body]
        return [b"".join((*head, *body))]


_JOINED = 64 << 10  # bytes of an answer that is copied into one piece


def _too_slow(what: str, seconds: int) -> RefusedRequest:
    return RefusedRequest(f"The {what} took longer than {seconds} seconds to arrive; send it at once.", 408)
