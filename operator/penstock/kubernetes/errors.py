"""What the API server can say no with, by what is to be done about it.

Transient: wait and try again. Conflict: look again, then decide again. Rejected: the object itself is not accepted;
a person has to change something. Whatever is none of these is a bug of ours.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

LONGEST_WAIT = 300.0  # seconds; a server that asks for more is asked again all the same


class ApiError(Exception):
    """A request that did not succeed.

    Attributes:
        status: the HTTP status, 0 where no answer came.
        reason: the word of Kubernetes for it, as `AlreadyExists`.
    """

    label = "bug"

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Transient(ApiError):
    """The server cannot now; `retry_after` is how many seconds it asks for, None where it does not say."""

    label = "transient"

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(status, reason, message)
        self.retry_after = retry_after


class Conflict(ApiError):
    """The object is no longer what it was when we looked."""

    label = "conflict"


class AlreadyExists(ApiError):
    """An object of that name is there."""

    label = "conflict"


class NotFound(ApiError):
    """There is no such object, or no such kind."""

    label = "not-found"


class Expired(ApiError):
    """The version that was asked for is too old."""

    label = "transient"


class Rejected(ApiError):
    """The server does not accept the object: invalid, over a quota, not allowed, refused by a policy."""

    label = "rejected"


class NamespaceEnding(ApiError):
    """The namespace is being deleted; nothing can be made in it, and nothing need be."""

    label = "namespace-ending"


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Rejected,
    403: Rejected,
    404: NotFound,
    410: Expired,
    413: Rejected,
    422: Rejected,
}


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """Return the error that an answer stands for; its status is 400 or more."""
    said = _read_status(body)
    reason = str(said.get("reason") or "")
    message = str(said.get("message") or reason or body[:500].decode(errors="replace"))
    if status == 409:
        kind = AlreadyExists if reason == "AlreadyExists" else Conflict
        return kind(status, reason, message)
    if status in (401, 408, 429) or status >= 500:
        # 401: a token that was replaced; the next request reads the new one.
        return Transient(status, reason, message, _retry_after(headers, said))
    if status == 403 and _causes(said) & {"NamespaceTerminating"}:
        return NamespaceEnding(status, reason, message)
    return _BY_STATUS.get(status, ApiError)(status, reason, message)


def _read_status(body: bytes) -> dict[str, Any]:
    """Return the `Status` object of an answer; empty where a proxy in between answered with something else."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _causes(said: dict[str, Any]) -> set[str]:
    details = said.get("details") or {}
    return {str(cause.get("reason")) for cause in details.get("causes") or ()}


def _retry_after(headers: Mapping[str, str], said: dict[str, Any]) -> float | None:
    asked = headers.get("Retry-After") or (said.get("details") or {}).get("retryAfterSeconds") or ""
    try:
        seconds = float(asked)
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if seconds >= 0 else None
