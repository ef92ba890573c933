"""What is answered to a request for a Trigger."""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import datetime
from time import perf_counter

from aiohttp import web

from penstock.api.decoding import Unreadable, decode
from penstock.api.trigger import Trigger
from penstock.api.trigger_sources import EventSource
from penstock.decide.events.headers import Headers, read_headers
from penstock.decide.events.limits import Limits
from penstock.decide.events.received import check_media_type, read_events
from penstock.decide.events.refusal import RequestRefused, unavailable, unknown
from penstock.decide.events.signatures import BY_TOKEN, Proof, verify_signature
from penstock.kubernetes.kinds import Object
from penstock.receiver.bodies import Bodies, check_length
from penstock.receiver.callers import Callers
from penstock.receiver.connections import Connections
from penstock.receiver.follow import TriggerStore
from penstock.receiver.keeper import Keeper
from penstock.receiver.keys import Keys
from penstock.receiver.metrics import ReceiverMetrics

log = logging.getLogger(__name__)

PATH = re.compile(r"/v1/triggers/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)/([a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?)")
_TURN = 30  # seconds that a request waits for its turn


class Receiver:
    """Answers requests; what it keeps of them is in the API server before it answers."""

    def __init__(
        self,
        triggers: TriggerStore,
        callers: Callers,
        keys: Keys,
        keeper: Keeper,
        connections: Connections,
        metrics: ReceiverMetrics,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._triggers, self._callers, self._keys, self._keeper = triggers, callers, keys, keeper
        self._connections, self._metrics, self._limits, self._now = connections, metrics, limits, now
        self.bodies = Bodies(limits, connections)
        self._turns = asyncio.Semaphore(limits.requests)
        self.ending = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to a request."""
        begun = perf_counter()
        try:
            with self._connections.busy(request.protocol):
                answer = await self._answer(request)
        except RequestRefused as refused:
            answer = self._refuse(refused)
        except (ConnectionError, asyncio.CancelledError):
            self._metrics.count_refusal("gone")
            raise
        except Exception:
            log.exception("A request could not be answered.")
            answer = self._refuse(RequestRefused(500, "bug", "The receiver has a fault, which its log tells."))
        if self.ending:
            answer.force_close()
        self._metrics.observe_request(perf_counter() - begun)
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        namespace, name = _target(request)
        if request.method != "POST":
            return self._refuse(RequestRefused(405, "method", "Events are sent by POST."), {"Allow": "POST"})
        headers = read_headers(request.headers.items())
        check_media_type(headers)
        check_length(request, self._limits)
        found = self._triggers.get(namespace, name)
        signature = _signature(found)
        if signature is None:
            await self._callers.require(headers.get("authorization"), namespace, name)
        trigger, source = _require_source(found, namespace, name)
        with self.bodies.holding() as holding:
            body = await self.bodies.read(request, holding)
            proof = BY_TOKEN if signature is None else self._verify(source, headers, body)
            return await self._in_turn(trigger, source, headers, body, proof)

    def _verify(self, source: EventSource, headers: Headers, body: bytes) -> Proof:
        signature = source.signature
        assert signature is not None
        return verify_signature(signature.sender, self._keys.get(signature.key), headers, body, self._now())

    async def _in_turn(
        self, trigger: Trigger, source: EventSource, headers: Headers, body: bytes, proof: Proof
    ) -> web.Response:
        """Deal with the events: of so many requests at once, since what a body is made into is larger than it."""
        try:
            async with asyncio.timeout(_TURN):
                await self._turns.acquire()
        except TimeoutError as error:
            raise unavailable("Too much is to be done at once; send it again.", 5) from error
        try:
            outcomes = set()
            for received in read_events(headers, body, proof, self._limits):
                outcome = await self._keeper.keep(trigger, source, received)
                self._metrics.count_event(outcome)
                outcomes.add(outcome)
        finally:
            self._turns.release()
        # 202: kept. 204: there was nothing in it that the Trigger waits for.
        return web.Response(status=202 if outcomes & {"accepted", "duplicate"} else 204)

    def _refuse(self, refused: RequestRefused, more: dict[str, str] | None = None) -> web.Response:
        self._metrics.count_refusal(refused.word)
        headers = dict(more or {})
        if refused.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if refused.retry_after is not None:
            headers["Retry-After"] = str(refused.retry_after)
        return web.Response(status=refused.status, text=f"{refused}\n", headers=headers)


def _target(request: web.BaseRequest) -> tuple[str, str]:
    found = PATH.fullmatch(request.path)
    if found is None:
        raise unknown("There is nothing here; events go to /v1/triggers/NAMESPACE/NAME.")
    return found[1], found[2]


def _signature(found: Object | None) -> str | None:
    """Return whose signature the Trigger asks for; None where callers have tokens."""
    event = ((found or {}).get("spec") or {}).get("event") or {}
    return str(event["signature"].get("sender")) if event.get("signature") else None


def _require_source(found: Object | None, namespace: str, name: str) -> tuple[Trigger, EventSource]:
    """Return the Trigger, and what it says of its events.

    Raises:
        RequestRefused: it is not there, takes no events, or cannot be read.
    """
    if found is None:
        raise unknown(f"There is no Trigger {name} in {namespace}.")
    trigger = decode(found, Trigger)
    if isinstance(trigger, Unreadable):
        raise unavailable(trigger.sentence, 60)
    if trigger.spec.event is None:
        raise unknown(f"The Trigger {name} takes no events by HTTP; give it the source event.")
    return trigger, trigger.spec.event
