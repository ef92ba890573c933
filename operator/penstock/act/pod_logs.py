"""The whole of what a job reported, from the end of its pod's log, where the pod's status had no room for it."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from penstock.decide.objects.pod import CONTAINER
from penstock.decide.observed.results import PendingLog
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import Rejected, Transient
from penstock_jobs.contract.termination_message import find_in_log

KEPT = 64  # messages: a run with many workers is looked at many times before all have told
MOST_FAILED = 1000  # pods whose node did not answer, of which it is known how often that was
MORE_LINES = 50  # what libraries say while a process ends
MOST_BYTES = 16 * 2**20
ATTEMPTS = 5  # after which a node that does not answer is taken for lost


class PodLogs:
    """Reads logs, each once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._read: OrderedDict[str, bytes] = OrderedDict()
        self._failed: OrderedDict[str, int] = OrderedDict()

    async def whole(self, awaited: Iterable[PendingLog]) -> Mapping[str, bytes | None]:
        """Return the whole messages by the uids of their pods; None where one cannot be had any more.

        Raises:
            Transient: a node did not answer, for the first few times; those read by then are not read again.
        """
        return {each.uid: await self._one(each) for each in awaited}

    async def _one(self, wanted: PendingLog) -> bytes | None:
        if wanted.uid in self._read:
            return self._read[wanted.uid]
        try:
            lines = wanted.lines + MORE_LINES
            content = await self._client.log(wanted.namespace, wanted.pod, CONTAINER, lines, MOST_BYTES)
        except Rejected:
            return None
        except Transient as error:
            failures = self._failed.get(wanted.uid, 0) + 1
            if error.status < 500 or failures < ATTEMPTS:
                self._failed[wanted.uid] = failures
                _shorten(self._failed, MOST_FAILED)
                raise
            return None
        self._failed.pop(wanted.uid, None)
        found = None if content is None else find_in_log(content.decode(errors="replace"), wanted.digest)
        if found is not None:
            self._read[wanted.uid] = found
            _shorten(self._read, KEPT)
        return found


def _shorten(held: OrderedDict[str, Any], most: int) -> None:
    """Let go of the oldest beyond so many."""
    while len(held) > most:
        held.popitem(last=False)
