"""What the receiver knows of the cluster without asking: the Triggers, and how many runs of each wait to begin."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from penstock.decide.trigger.own_runs import trigger_of
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import ApiError, Expired
from penstock.kubernetes.kinds import Kind, Object
from penstock.kubernetes.watch import LineConnection, watch_events

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts while the server does not answer
SILENT = 600.0  # seconds without a word of the server, after which this process is taken for deaf


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


class TriggerStore:
    """The Triggers, as the API server has them."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Object] = {}

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the Trigger, or None where there is none that stays."""
        found = self._held.get((namespace, name))
        return None if found is None or found["metadata"].get("deletionTimestamp") else found

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        self._held = {key: each for key, each in self._held.items() if namespace not in (None, key[0])}
        for each in found:
            self.put(each)

    def put(self, found: Object) -> None:
        """Take in a Trigger that is new or has changed."""
        found.pop("status", None)  # nothing here looks at it
        self._held[_key(found)] = found

    def remove(self, found: Object) -> None:
        """Forget a Trigger that is gone."""
        self._held.pop(_key(found), None)


class PendingRuns:
    """The runs that wait for their Trigger to let them begin, by the Trigger's uid.

    What the watch says is counted, and what was asked for and the watch has not told of yet. An answer to a request is
    not taken in: the watch may have told already that the run began.
    """

    def __init__(self) -> None:
        self._trigger: dict[tuple[str, str], str] = {}
        self._reserved: dict[tuple[str, str], str] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._trigger) + len(self._reserved)

    def count(self, trigger_uid: str) -> int:
        """Return how many runs of that Trigger wait."""
        return self._count[trigger_uid]

    def reserve(self, made: Object) -> bool:
        """Count a run that is about to be made; return whether it was not counted before."""
        key = _key(made)
        if key in self._trigger or key in self._reserved:
            return False
        self._add(self._reserved, key, str(trigger_of(made)))
        return True

    def release(self, made: Object) -> None:
        """Count a run no more that was reserved and not made."""
        self._drop(self._reserved, _key(made))

    def replace(self, namespace: str | None, found: Sequence[Object]) -> None:
        """Hold exactly these, of the namespace or of all."""
        for counted in (self._trigger, self._reserved):
            for key in [each for each in counted if namespace in (None, each[0])]:
                self._drop(counted, key)
        for each in found:
            self.put(each)

    def put(self, found: Object) -> None:
        """Take in a run; one that does not wait is none of these."""
        self.remove(found)
        spec = found.get("spec") or {}
        uid = trigger_of(found)
        if uid and spec.get("suspend") and not spec.get("cancel"):
            self._add(self._trigger, _key(found), uid)

    def remove(self, found: Object) -> None:
        """Forget a run that is gone, or that its Trigger has decided about."""
        for counted in (self._trigger, self._reserved):
            self._drop(counted, _key(found))

    def _add(self, counted: dict[tuple[str, str], str], key: tuple[str, str], uid: str) -> None:
        counted[key] = uid
        self._count[uid] += 1

    def _drop(self, counted: dict[tuple[str, str], str], key: tuple[str, str]) -> None:
        uid = counted.pop(key, None)
        if uid is not None:
            self._count[uid] -= 1
            if not self._count[uid]:
                del self._count[uid]


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
    ) -> None:
        self._client, self._connection = client, connection
        self._kind, self._namespace, self._selector = kind, namespace, selector
        self._store = store
        self._clock = clock
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
        listing = await self._client.list(self._kind, self._namespace, self._selector)
        self._store.replace(self._namespace, listing.items)
        self._heard = self._clock()
        self.listed.set()
        return listing.version

    async def _watch(self, version: str) -> str:
        query = {"labelSelector": self._selector} if self._selector else {}
        async for event in watch_events(self._connection, self._kind, self._namespace, query, version):
            self._heard = self._clock()
            found = event["object"]
            version = found["metadata"]["resourceVersion"]
            match event["type"]:
                case "ADDED" | "MODIFIED":
                    found["metadata"].pop("managedFields", None)
                    self._store.put(found)
                case "DELETED":
                    self._store.remove(found)
        return version


def _key(found: Object) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]
