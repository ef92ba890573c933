"""Which definition of a kind, and which namespace, there are now: told from others of the same name by their uids."""

import asyncio
import logging

from penstock.decide.cleaning.record import DEFINITIONS, Identity, Recorded
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import Rejected
from penstock.kubernetes.kinds import DEFINITION, NAMESPACE, Object

log = logging.getLogger(__name__)

REFUSED = 300.0  # seconds that who may not look up asks for no record that is about to be made
MOST = 10_000  # namespaces and kinds that are remembered: namespaces come and go


class Identities:
    """Asks the API server, and remembers.

    Args:
        client: what asks.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, Recorded], Identity] = {}
        self._warned = False
        self._refused = -REFUSED  # when it was last said that they may not be looked up

    async def recall(self, namespace: str, kind: Recorded) -> Identity | None:
        """Return the identity for a record that is about to be made; one that is outdated deletes nothing ever."""
        known = self._known.get((namespace, kind))
        if known is not None or asyncio.get_running_loop().time() - self._refused < REFUSED:
            return known
        return await self.now(namespace, kind)

    async def now(self, namespace: str, kind: Recorded) -> Identity | None:
        """Return the identity at this moment; None where either is gone, being deleted, or may not be seen."""
        try:
            definition = _living(await self._client.get(DEFINITION, None, DEFINITIONS[kind]))
            place = _living(await self._client.get(NAMESPACE, None, namespace))
        except Rejected as error:
            if not self._warned:
                log.warning("The operator may not look up what it needs to delete files, so all are kept: %s", error)
            self._warned, self._refused = True, asyncio.get_running_loop().time()
            return None
        self._known.pop((namespace, kind), None)
        if definition is None or place is None:
            return None
        found = Identity(definition["metadata"]["uid"], place["metadata"]["uid"])
        self._known[namespace, kind] = found
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return found


def _living(found: Object | None) -> Object | None:
    return None if found is None or found["metadata"].get("deletionTimestamp") else found
