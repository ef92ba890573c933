"""What the author of a Trigger should know of events that cannot be processed: Events of Kubernetes about the Trigger.

They are the list of what was not taken, and why; the API server forgets them by itself. Whoever sent the event was
told too, and has it still.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from penstock.api.schema import API_VERSION
from penstock.api.trigger import Trigger
from penstock.decide.decision import Event
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import AlreadyExists, ApiError
from penstock.kubernetes.event import event_object

log = logging.getLogger(__name__)

COMPONENT = "penstock.dev/receiver"
BURST, EVERY = 20, 60.0  # so many of one Trigger at once, and then one in so many seconds
_MOST = 1024  # Triggers


class Notices:
    """Makes such Events, few enough that nobody can flood the API server with them.

    Args:
        client: what makes them.
        instance: which receiver this is.
        now: the time.
        clock: seconds that only go forward.
    """

    def __init__(self, client: Client, instance: str, now: Callable[[], datetime], clock: Callable[[], float]) -> None:
        self._client, self._instance = client, instance
        self._now, self._clock = now, clock
        self._next: dict[str, float] = {}

    async def tell(self, trigger: Trigger, reason: str, message: str) -> None:
        """Tell it, where not too much was told of this Trigger."""
        metadata = trigger.metadata
        if not self._may_tell(metadata.uid or ""):
            return
        about = {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        }
        subject = {"apiVersion": API_VERSION, "kind": "Trigger", "metadata": about}
        told = Event("Warning", reason, message)
        try:
            await self._client.create(event_object(subject, told, self._instance, self._now(), COMPONENT))
        except AlreadyExists:
            pass
        except ApiError as error:
            log.warning("An event could not be written: %s", error)

    def _may_tell(self, uid: str) -> bool:
        """Return whether there is a place left: so many at once, and one more in each while."""
        now = self._clock()
        due = max(self._next.pop(uid, now), now)
        allowed = due - now <= (BURST - 1) * EVERY
        self._next[uid] = due + EVERY if allowed else due
        while len(self._next) > _MOST:
            self._next.pop(next(iter(self._next)))
        return allowed
