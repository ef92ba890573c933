"""Who calls: whose a token is, and whether they may bring events to a Trigger. The API server knows both."""

import base64
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.api.schema import GROUP
from penstock.decide.events.refusal import RequestRefused, forbidden, unauthenticated, unavailable
from penstock.kubernetes.client import Client
from penstock.kubernetes.errors import ApiError, Transient
from penstock.kubernetes.kinds import ACCESS_REVIEW, TOKEN_REVIEW
from penstock.receiver.answers import Answers
from penstock.receiver.metrics import ReceiverMetrics

log = logging.getLogger(__name__)

HELD_YES, HELD_NO = 60.0, 10.0  # seconds that an answer holds
_MOST = 4096  # answers
_WAITING = 64  # questions without an answer, beyond which nobody may ask another
_LONGEST = 4096  # characters of a token
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Caller:
    """Whose a token is, as the API server says; without a name it is nobody's."""

    name: str = ""
    identity: dict[str, Any] = field(default_factory=dict)


class Callers:
    """Asks the API server about tokens and rights.

    Args:
        client: what asks, at a pace of its own: whoever has no token cannot slow down who has.
        audience: whom tokens must be for.
        metrics: counts the questions.
        clock: seconds that only go forward.
    """

    def __init__(self, client: Client, audience: str, metrics: ReceiverMetrics, clock: Callable[[], float]) -> None:
        self._client = client
        self._audience = audience
        self._metrics = metrics
        self._callers: Answers[Caller] = Answers(lambda found: HELD_YES if found.name else HELD_NO, _MOST, clock)
        self._rights: Answers[tuple[bool]] = Answers(lambda found: HELD_YES if found[0] else HELD_NO, _MOST, clock)

    async def require(self, authorization: str | None, namespace: str, trigger: str) -> None:
        """Return where the caller may bring events to the Trigger.

        Raises:
            RequestRefused: it may not, does not prove who it is, or nobody can say now.
        """
        token = self._read_token(authorization)
        key = hashlib.sha256(token.encode()).digest()
        try:
            caller = await self._answer(self._callers, key, lambda: self._review_token(token))
            if not caller.name:
                raise unauthenticated(f"The token is invalid, or not for the audience {self._audience}; make another.")
            right = (key, namespace, trigger)
            (allowed,) = await self._answer(
                self._rights, right, lambda: self._review_access(caller, namespace, trigger)
            )
        except Transient as error:
            raise unavailable("The API server cannot say now who calls; try again.", 5) from error
        except ApiError as error:
            log.error("The receiver may not ask who calls: %s", error)
            raise unavailable(
                "The receiver may not ask who calls; its ClusterRole is not as the chart has it.", 60
            ) from error
        if not allowed:
            raise forbidden(f"{caller.name} may not create triggers/events of {namespace}/{trigger}; allow it.")

    def _read_token(self, authorization: str | None) -> str:
        """Return the token, where it may be one of ours; what cannot be costs the API server no question."""
        wanted = f"the token of a service account for the audience {self._audience}"
        if not authorization:
            raise unauthenticated(f"There is no token; send Authorization: Bearer with {wanted}.")
        scheme, _, token = authorization.partition(" ")
        found = _TOKEN.fullmatch(token.strip())
        if scheme.lower() != "bearer" or found is None or len(token) > _LONGEST:
            raise unauthenticated(f"The Authorization header holds no token; send Bearer and {wanted}.")
        if self._audience not in _audiences(found[1]):
            raise unauthenticated(f"The token is not for us; send {wanted}.")
        return token.strip()

    async def _answer(self, answers: Answers[Any], question: Any, ask: Any) -> Any:
        if answers.held(question) is None and answers.waiting >= _WAITING:
            raise RequestRefused(503, "unavailable", "Too many callers prove themselves at once; try again.", 1)
        return await answers.ask(question, ask)

    async def _review_token(self, token: str) -> Caller:
        self._metrics.count_review("token")
        status = await self._client.review(TOKEN_REVIEW, {"token": token, "audiences": [self._audience]})
        user = status.get("user") or {}
        # A server that knows no audiences would take any token; what it answers then is not ours.
        if not status.get("authenticated") or self._audience not in (status.get("audiences") or ()):
            return Caller()
        return Caller(str(user.get("username") or ""), user)

    async def _review_access(self, caller: Caller, namespace: str, trigger: str) -> tuple[bool]:
        self._metrics.count_review("access")
        attributes = {
            "verb": "create",
            "group": GROUP,
            "resource": "triggers",
            "subresource": "events",
            "namespace": namespace,
            "name": trigger,
        }
        user = caller.identity
        asked = {name: user[name] for name in ("uid", "groups", "extra") if user.get(name)}
        spec = {"user": caller.name, "resourceAttributes": attributes, **asked}
        return (bool((await self._client.review(ACCESS_REVIEW, spec)).get("allowed")),)


class _Claims(msgspec.Struct):
    aud: list[str] | str = ""


def _audiences(claims: str) -> tuple[str, ...]:
    """Return whom the token says that it is for; nobody has checked that yet."""
    try:
        content = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        found = msgspec.json.decode(content, type=_Claims).aud
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return ()
    return (found,) if isinstance(found, str) else tuple(found)
