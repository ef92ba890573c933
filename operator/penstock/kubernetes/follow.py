"""Objects of one kind, followed: listed once, and watched from there on, whatever happens to the connection."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from penstock.kubernetes.client import Client
from penstock.kubernetes.connection import ApiConnection
from penstock.kubernetes.errors import ApiError, Expired
from penstock.kubernetes.kinds import Key, Kind, Object, key_of
from penstock.kubernetes.watch import LineConnection, watch_events

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts while the server does not answer
SILENT = 600.0  # seconds without a word of the server, after which this process is taken for deaf


class Connection(ApiConnection, LineConnection, Protocol):
    """Something that carries requests and watches to an API server."""


class Store(Protocol):
    """What takes in objects of one kind."""

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        ...

    def put(self, found: Object) -> None:
        """Take in an object that is new or has changed."""
        ...

    def remove(self, found: Object) -> None:
        """Forget an object that is gone, or is not asked for any more."""
        ...


class Follower:
    """Keeps a store as the API server has the kind, in a namespace or in all.

    Args:
        client: what lists.
        connection: what watches.
        kind: of what.
        namespace: where; None for everywhere.
        selector: the label that they must have.
        store: what takes them in.
        clock: seconds that only go forward.
        trim: makes of each object what is worth keeping.
    """

    def __init__(
        self,
        client: Client,
        connection: LineConnection,
        kind: Kind,
        namespace: str | None,
        selector: str | None,
        store: Store,
        clock: Callable[[], float],
        trim: Callable[[Object], Object] = lambda found: found,
    ) -> None:
        self._client, self._connection = client, connection
        self._kind, self._namespace, self._selector = kind, namespace, selector
        self._store = store
        self._clock = clock
        self._trim = trim
        self._heard = float("-inf")
        self.listed = asyncio.Event()
        """Whether the store had all that there is, once."""

    def healthy(self) -> bool:
        """Return whether the server was heard not too long ago."""
        return self._clock() - self._heard < SILENT

    async def run(self) -> None:
        """List, and watch from there on, for ever."""
        version: str | None = None
        failures = 0
        while True:
            try:
                if version is None:
                    version = await self._list()
                version = await self._watch(version)
                failures = 0
            except Expired:
                version = None
            except ApiError as error:
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                if failures > 2:
                    log.warning("%s cannot be watched: %s It is tried again.", self._kind.plural, error)
                await asyncio.sleep(pause)
                version = None

    async def _list(self) -> str:
        found: dict[Key, Object] = {}
        version = await self._client.each(
            self._kind, self._namespace, self._selector, lambda each: found.update({key_of(each): self._trim(each)})
        )
        self._store.replace(self._namespace, [*found.values()])
        self._heard = self._clock()
        self.listed.set()
        return version

    async def _watch(self, version: str) -> str:
        query = {"labelSelector": self._selector} if self._selector else {}
        async for event in watch_events(self._connection, self._kind, self._namespace, query, version):
            self._heard = self._clock()
            found = event["object"]
            version = found["metadata"]["resourceVersion"]
            match event["type"]:
                case "ADDED" | "MODIFIED":
                    found["metadata"].pop("managedFields", None)
                    self._store.put(self._trim(found))
                case "DELETED":
                    self._store.remove(found)
        return version
