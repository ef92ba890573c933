"""All objects, listed: whole at the start; which there are at which version now and then, and where a watch began anew.

A watch that begins anew never says what went in between; a list does. What a list has, and the watch has not told of a
while later, is listed whole. The age of the last list is the measure of the operator's health.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from penstock.act.view import View
from penstock.act.watched import WATCHED, Watched
from penstock.kubernetes.client import Client, ObjectVersion
from penstock.kubernetes.errors import ApiError, NotFound, Rejected
from penstock.kubernetes.kinds import Key, Kind, Object, key_of

log = logging.getLogger(__name__)

_Look = Callable[[str | None, Watched], Awaitable[None]]

GATHERED = 1.0  # seconds, in which all that a new watch begins with comes in
BEHIND = 5.0  # seconds that a watch may be behind a list
UNWELL = 420.0  # seconds beyond the time of a round, after which an operator that cannot list is not well
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


class Resync:
    """Lists everything, again and again.

    Args:
        client: what lists.
        view: what is told.
        namespaces: which; all of them where none is named.
        interval: seconds between two full rounds.
        jitter: gives a number between 0 and 1.
        watched: what is listed.
    """

    def __init__(
        self,
        client: Client,
        view: View,
        namespaces: Sequence[str],
        interval: float,
        jitter: Callable[[], float],
        watched: Sequence[Watched] = WATCHED,
    ) -> None:
        self._client = client
        self._view = view
        self._namespaces: Sequence[str | None] = namespaces or (None,)
        self._interval = interval
        self._jitter = jitter
        self._watched = watched
        self._suspects: set[str] = set()
        self._suspected = asyncio.Event()
        self._begun: float | None = None
        self._good: float | None = None

    def age(self) -> float:
        """Return how many seconds ago the last full round ended well; infinite before the first."""
        return float("inf") if self._good is None else asyncio.get_running_loop().time() - self._good

    def healthy(self) -> bool:
        """Return whether a round ended well not too long ago, or has begun not too long ago."""
        since = self._begun if self._good is None else self._good
        return since is None or asyncio.get_running_loop().time() - since <= 1.1 * self._interval + UNWELL

    def suspect(self, kind: Kind) -> None:
        """A watch of this kind began anew: list the kind soon."""
        self._suspects.add(kind.kind)
        self._suspected.set()

    def suspect_all(self) -> None:
        """A watch began anew, and it is not known of which kind: list all of them soon."""
        for each in self._watched:
            self.suspect(each.kind)

    async def first(self) -> None:
        """List everything once, however often it must be tried."""
        self._begun = asyncio.get_running_loop().time()
        wait = FIRST_WAIT
        while not await self._round(self._watched, self._list_whole):
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def run(self) -> None:
        """List everything every now and then, and in between what is suspected."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._pause()
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._suspected.wait()
            except TimeoutError:
                good = await self._round(self._watched, self._compare)
                due = loop.time() + (self._pause() if good else LONGEST_WAIT)
                continue
            await asyncio.sleep(GATHERED)
            self._suspected.clear()
            suspects, self._suspects = self._suspects, set()
            if not await self._round([each for each in self._watched if each.kind.kind in suspects], self._compare):
                due = min(due, loop.time() + LONGEST_WAIT)

    async def _round(self, watched: Sequence[Watched], look: _Look) -> bool:
        good = True
        for each in watched:
            good = await self._look(each, look) and good
        if good and len(watched) == len(self._watched):
            self._good = asyncio.get_running_loop().time()
        return good

    async def _look(self, watched: Watched, look: _Look) -> bool:
        plural = watched.kind.plural
        try:
            for namespace in self._namespaces:
                await look(namespace, watched)
        except NotFound:
            log.error("The API server knows no %s: install the CRDs of Penstock.", plural)
            return False
        except Rejected as error:
            log.error("The operator may not list %s: %s", plural, error)
            return False
        except ApiError as error:
            log.warning("The %s cannot be listed: %s", plural, error)
            return False
        return True

    async def _compare(self, namespace: str | None, watched: Watched) -> None:
        """See which objects there are, at which versions; list them whole where the watch has not told of all."""
        there, version = await self._client.versions(watched.kind, namespace, watched.selector)
        if self._is_behind(there):
            await asyncio.sleep(BEHIND)
        if self._is_behind(there):
            log.info("The watch of %s has not told of all that there is; they are listed.", watched.kind.plural)
            await self._list_whole(namespace, watched)
            return
        self._view.on_list(watched.kind, namespace, there.keys(), version)

    def _is_behind(self, there: Mapping[Key, ObjectVersion]) -> bool:
        cache = self._view.cache
        return any(cache.is_behind(key, each.uid, int(each.resource_version)) for key, each in there.items())

    async def _list_whole(self, namespace: str | None, watched: Watched) -> None:
        keys: set[Key] = set()

        def take_in(found: Object) -> None:
            keys.add(key_of(found))
            self._view.on_update(found)

        version = await self._client.each(watched.kind, namespace, watched.selector, take_in)
        self._view.on_list(watched.kind, namespace, keys, version)

    def _pause(self) -> float:
        return self._interval * (0.9 + 0.2 * self._jitter())
