"""All connections of a server: how many there are, what is held for them, and who gives way where that is too much.

Whoever waits for its own client holds what others need, so the one that has done so longest gives way: thousands of
connections that say nothing, or bodies that come by drops, take places from each other, and who sends and reads at
once is never among them.
"""

import asyncio
from typing import Protocol

from penstock_jobs.serving.application import Application
from penstock_jobs.serving.limits import ServerLimits
from penstock_jobs.serving.turns import Turns

_LOOKS = 4  # looks at the deadlines within the shortest of them


class Waiter(Protocol):
    """A connection, as far as all of them are concerned."""

    held: int
    """Bytes that are held for it."""

    def give_way(self) -> None:
        """Close it, for the good of others."""

    def look_at_deadline(self, now: float) -> None:
        """Close it where its client has taken too long."""

    def drain(self) -> None:
        """Close it once what was asked on it is answered."""

    def abort(self) -> None:
        """Close it now."""


class Connections:
    """The connections of a server.

    Attributes:
        application: what answers.
        limits: what it takes from clients.
        turns: whose turn it is.
        draining: whether no request is taken any more but those that have begun.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.limits: ServerLimits = application.limits
        self.turns = Turns(application)
        self.draining = False
        self.empty = asyncio.Event()
        self.empty.set()
        self._open: set[Waiter] = set()
        self._waiting: dict[Waiter, None] = {}  # for their clients, the longest first
        self._held = 0

    def add(self, connection: Waiter) -> None:
        """Take in a connection, for which another may have to give way."""
        self._open.add(connection)
        self.empty.clear()
        if len(self._open) > self.limits.connections:
            longest = next(iter(self._waiting), connection)
            longest.give_way()
            # It is gone as soon as the loop comes to it; until then it has no place any more.
            self._open.discard(longest)
            self._waiting.pop(longest, None)

    def forget(self, connection: Waiter) -> None:
        """Let go of a connection that is closed, and of what was held for it."""
        self.release(connection, connection.held)
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        if not self._open:
            self.empty.set()

    def begin_waiting(self, connection: Waiter) -> None:
        """Say that from now on it waits for its client."""
        if connection in self._open:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def end_waiting(self, connection: Waiter) -> None:
        """Say that it waits for nobody but this server."""
        self._waiting.pop(connection, None)

    def hold(self, connection: Waiter, size: int) -> bool:
        """Hold bytes for a connection; return whether there is room, which others may have to make."""
        connection.held += size
        self._held += size
        while self._held > self.limits.held_bytes:
            longest = next((other for other in self._waiting if other.held), connection)
            if longest is connection:
                return False
            longest.give_way()
            self.release(longest, longest.held)
            self._waiting.pop(longest, None)
        return True

    def release(self, connection: Waiter, size: int) -> None:
        """Hold so many bytes fewer for a connection."""
        connection.held -= size
        self._held -= size

    async def watch_deadlines(self) -> None:
        """Look at the deadlines of all connections now and then, for ever: cheaper than a timer for each request."""
        limits = self.limits
        shortest = min(limits.header_seconds, limits.body_seconds, limits.answer_seconds, limits.idle_seconds)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, shortest / _LOOKS))
            for connection in list(self._open):
                connection.look_at_deadline(loop.time())

    async def drain(self, seconds: float) -> None:
        """Answer what was asked, within so many seconds, and close all connections."""
        self.draining = True
        for connection in list(self._open):
            connection.drain()
        try:
            await asyncio.wait_for(self.empty.wait(), seconds)
        except TimeoutError:
            for connection in list(self._open):
                connection.abort()
