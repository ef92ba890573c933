"""A request as it was read from its connection, and the answer as it is written to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from penstock_jobs.serving.refusals import Header, RefusedRequest

JSON = b"application/json"


class HttpRequest(msgspec.Struct, gc=False):
    """One request. `keep_alive` is whether its connection may take another; `started` is when its headers ended."""

    method: str
    path: str
    keep_alive: bool = True
    started: float = 0.0
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer. The body is in pieces, so that a large one is nowhere joined."""

    status: int
    body: Sequence[bytes]
    kind: bytes = JSON
    headers: tuple[Header, ...] = ()


def refusal_answer(refusal: RefusedRequest) -> HttpAnswer:
    """Return the answer that says a refusal."""
    return HttpAnswer(refusal.status, [error_body(refusal.sentence)], headers=refusal.headers)


def error_body(sentence: str) -> bytes:
    """Return the body that every refusal has."""
    return msgspec.json.encode({"error": sentence})
