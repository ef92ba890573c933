"""Accepting an event: the run that it is exists before anybody is told so."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from penstock.api.trigger import Trigger
from penstock.api.trigger_sources import EventSource
from penstock.decide.decision import ApiObject
from penstock.decide.events.matching import is_wanted
from penstock.decide.events.received import ReceivedEvent
from penstock.decide.events.refusal import RequestRefused, malformed, too_many, unavailable, unknown
from penstock.decide.observed.listers import RunLister, pipeline_of
from penstock.decide.reasons import EVENT_REFUSED
from penstock.decide.trigger.filter import passes_filter
from penstock.decide.trigger.make_run import make_run
from penstock.decide.trigger.occasion import Occasion, is_by_hand, on_event
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import AlreadyExists, ApiError, NamespaceEnding, NotFound, Rejected, Transient
from penstock.kubernetes.kinds import RUN, Object
from penstock.receiver.answers import Answers
from penstock.receiver.follow import PendingRuns
from penstock.receiver.notices import Notices
from penstock_jobs.contract.errors import Refused

log = logging.getLogger(__name__)

Outcome = Literal["accepted", "duplicate", "skipped"]
RETRY_FULL = 30  # seconds until there may be room again
_LAST = 10.0  # seconds that the runs of a Pipeline are held, for a filter that speaks of the last


class Keeper:
    """Makes the runs of events.

    Args:
        client: what makes them.
        pending: how many wait already.
        most: how many of one Trigger may.
        notices: tells of a Trigger what cannot be processed.
        now: the time.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        client: Client,
        pending: PendingRuns,
        most: int,
        notices: Notices,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._pending = pending
        self._most = most
        self._notices = notices
        self._now = now
        self._runs: Answers[RunLister] = Answers(lambda found: _LAST, 64, clock)

    async def keep(self, trigger: Trigger, source: EventSource, received: ReceivedEvent) -> Outcome:
        """Make the run of an event, where the Trigger wants it and there is none yet.

        Raises:
            RequestRefused: it cannot be processed, or not now; nothing is kept of it.
        """
        if is_by_hand(received.event):
            raise malformed(f"The type {received.event.type} is for people, who use penstock trigger; send another.")
        if trigger.spec.suspend or not is_wanted(source, received):
            return "skipped"
        occasion = on_event(received.event, self._now(), received.data, received.attributes)
        try:
            if not passes_filter(trigger, occasion, await self._runs_for(trigger)):
                return "skipped"
            made = make_run(trigger, occasion, waits=True)
        except Refused as error:
            raise await self._unprocessable(trigger, occasion, error) from error
        if self._pending.count(trigger.metadata.uid or "") >= self._most:
            if await self._is_there(made):
                return "duplicate"
            raise too_many(f"{self._most} runs of this Trigger wait to begin; send the event again later.", RETRY_FULL)
        return await self._create(trigger, made)

    async def _create(self, trigger: Trigger, made: Object) -> Outcome:
        # Before the answer is there: those who come meanwhile are counted too.
        reserved = self._pending.reserve(made)
        try:
            await self._client.create(made)
        except ApiError as error:
            if reserved:
                self._pending.release(made)
            if isinstance(error, AlreadyExists):
                return await self._find(made)
            raise await self._not_made(trigger, error) from error
        return "accepted"

    async def _find(self, made: Object) -> Outcome:
        if await self._is_there(made):
            return "duplicate"
        name = made["metadata"]["name"]
        raise unavailable(f"A run {name} is there that is not of this event; delete it.", 60)

    async def _is_there(self, made: Object) -> bool:
        """Return whether the run of this very event is there."""
        try:
            found = await self._client.get(RUN, made["metadata"]["namespace"], made["metadata"]["name"])
        except ApiError as error:
            raise unavailable("The API server does not answer; send the event again.", 5) from error
        return found is not None and _cause(found) == _cause(made)

    async def _not_made(self, trigger: Trigger, error: ApiError) -> RequestRefused:
        if isinstance(error, NotFound | NamespaceEnding):
            return unknown("The namespace of the Trigger is not there any more.")
        if isinstance(error, Transient):
            return unavailable("The API server cannot take the run now; send the event again.", _pause(error))
        if isinstance(error, Rejected) and "exceeded quota" in str(error):
            return too_many("The quota of the namespace has no room for another run; send the event again later.", 60)
        log.warning("The run of an event was not accepted: %s", error)
        await self._notices.tell(trigger, EVENT_REFUSED, f"The run of an event was not accepted: {error}")
        return unavailable("The API server does not accept the run of this Trigger; its Events say why.", 60)

    async def _unprocessable(self, trigger: Trigger, occasion: Occasion, error: Refused) -> RequestRefused:
        identity = occasion.event.id if occasion.event is not None else ""
        sentence = f"The event {identity} starts no run: {error} It may be sent again then."
        await self._notices.tell(trigger, EVENT_REFUSED, sentence)
        return RequestRefused(400, "unprocessable", f"The event {identity} starts no run: {error}")

    async def _runs_for(self, trigger: Trigger) -> RunLister:
        """Return the run of the Pipeline that ended last, where the filter speaks of it; else none is looked at."""
        if "last" not in (trigger.spec.filter or ""):
            return RunLister()
        namespace, pipeline = trigger.metadata.namespace or "", trigger.spec.pipeline_ref.name

        async def ask() -> RunLister:
            last: list[ApiObject] = []

            def take(run: Object) -> None:
                if pipeline_of(run) == pipeline:
                    newest = RunLister([*last, run]).last_ended()
                    last[:] = [] if newest is None else [newest]

            await self._client.each(RUN, namespace, None, take)
            return RunLister(last)

        try:
            return await self._runs.ask((namespace, pipeline), ask)
        except ApiError as error:
            raise unavailable("The API server does not answer; send the event again.", 5) from error


def _cause(run: Object) -> tuple[object, ...]:
    """Return for what a run was made: its Trigger, and the event."""
    trigger = (run.get("spec") or {}).get("trigger") or {}
    event = trigger.get("event") or {}
    return trigger.get("uid"), event.get("id"), event.get("source")


def _pause(error: Transient) -> int:
    return max(1, min(300, int(error.retry_after or 5)))
