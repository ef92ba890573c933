"""The connections that are open: so many at most, of which the one that has kept us waiting longest makes room.

Whoever opens thousands of connections and says nothing on them loses them to each other; who sends a request at once
is never among the slowest.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Connection:
    """One connection.

    Attributes:
        state: what it is at: `opening`, until TLS has shaken hands; `waiting` for the client's next bytes; or `busy`
            with ours.
        abort: ends it at once.
    """

    def __init__(self, abort: Callable[[], object]) -> None:
        self.state = "opening"
        self.abort = abort


class Connections:
    """All of them.

    Args:
        most: how many there may be.
        closed: told of each that had to make room, by its state.
    """

    def __init__(self, most: int, closed: Callable[[str], None]) -> None:
        self._most = most
        self._closed = closed
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # those that wait for their client, the longest first
        self._by_protocol: dict[object, Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Take in a connection, where there is room or another makes it."""
        if len(self._open) >= self._most:
            slowest = next(iter(self._idle), None)
            if slowest is None:
                self._closed("new")
                return False
            self._closed(slowest.state)
            self.forget(slowest)
            slowest.abort()
        self._open.add(connection)
        self._idle[connection] = None
        return True

    def name(self, connection: Connection, protocol: object) -> None:
        """Say what speaks on it."""
        self._by_protocol[protocol] = connection

    def opened(self, protocol: object, abort: Callable[[], None]) -> None:
        """Say that it can be spoken on, and how it is ended from now on."""
        connection = self._by_protocol.get(protocol)
        if connection is not None:
            connection.state, connection.abort = "waiting", abort

    def forget(self, connection: Connection) -> None:
        """Let go of a connection that is closed."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def lost(self, protocol: object) -> None:
        """Let go of the connection of that protocol."""
        connection = self._by_protocol.pop(protocol, None)
        if connection is not None:
            self.forget(connection)

    @contextmanager
    def busy(self, protocol: object) -> Iterator[None]:
        """Mark it as busy with our work, for which nobody loses it."""
        connection = self._by_protocol.get(protocol)
        self._set(connection, waits=False)
        try:
            yield
        finally:
            self._set(connection, waits=True)

    @contextmanager
    def waiting(self, protocol: object) -> Iterator[None]:
        """Mark it, while it is busy, as waiting for its client again."""
        connection = self._by_protocol.get(protocol)
        self._set(connection, waits=True)
        try:
            yield
        finally:
            self._set(connection, waits=False)

    def _set(self, connection: Connection | None, *, waits: bool) -> None:
        if connection is None or connection not in self._open:
            return
        connection.state = "waiting" if waits else "busy"
        self._idle.pop(connection, None)
        if waits:
            self._idle[connection] = None
