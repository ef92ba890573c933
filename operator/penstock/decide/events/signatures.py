"""Signatures of senders, over the bytes that arrived.

What a signature does not cover, anybody who saw the request once can change and send again. So each says what may be
the event's id: only something that is signed.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from penstock.decide.events.headers import Headers
from penstock.decide.events.refusal import RequestRefused, unauthenticated

WINDOW = 300  # seconds, to either side of now, in which a sender that says when it signed must have done so
_MOST = 16  # signatures in one header
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_ID = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True)
class Proof:
    """What the caller's proof says of the request.

    Attributes:
        id: the id of a plain JSON event, made of what is signed; None where all of the request is the caller's word,
            as with a token.
    """

    id: str | None = None


BY_TOKEN = Proof()


def verify_signature(sender: str, keys: Sequence[bytes], headers: Headers, body: bytes, now: datetime) -> Proof:
    """Return what the signature proves.

    Args:
        sender: whose way of signing it is.
        keys: any of these may have signed: an old key and a new one, while they change.
        headers: those of the request.
        body: as it arrived.
        now: the time.

    Raises:
        RequestRefused: there is no signature, or another one.
    """
    return _BY_SENDER[sender](keys, headers, body, now)


def digest_id(signed: bytes) -> str:
    """Return the id of an event that has no other: a hash of what was sent."""
    return f"sha256:{hashlib.sha256(signed).hexdigest()}"


def _of_github(keys: Sequence[bytes], headers: Headers, body: bytes, _: datetime) -> Proof:
    said = _header(headers, "x-hub-signature-256")
    _compare_hex(keys, body, said.removeprefix("sha256="))
    return Proof(digest_id(body))


def _of_gitea(keys: Sequence[bytes], headers: Headers, body: bytes, _: datetime) -> Proof:
    _compare_hex(keys, body, _header(headers, "x-gitea-signature"))
    return Proof(digest_id(body))


def _of_gitlab(keys: Sequence[bytes], headers: Headers, _: bytes, __: datetime) -> Proof:
    """Its token is no signature: who knows it says what it likes, as with any token."""
    said = _header(headers, "x-gitlab-token").encode()
    if not any(hmac.compare_digest(said, key) for key in keys):
        raise _other()
    return BY_TOKEN


def _of_generic(keys: Sequence[bytes], headers: Headers, body: bytes, now: datetime) -> Proof:
    signed = _timely(headers, "x-penstock-timestamp", now).encode() + b"." + body
    _compare_hex(keys, signed, _header(headers, "x-penstock-signature").removeprefix("sha256="))
    return Proof(digest_id(signed))


def _of_standard_webhooks(keys: Sequence[bytes], headers: Headers, body: bytes, now: datetime) -> Proof:
    identity = _header(headers, "webhook-id")
    if not _ID.fullmatch(identity):
        raise unauthenticated("The header webhook-id is no id: give at most 256 characters without spaces.")
    signed = f"{identity}.{_timely(headers, 'webhook-timestamp', now)}.".encode() + body
    said = [each.removeprefix("v1,") for each in _header(headers, "webhook-signature").split(" ") if each[:3] == "v1,"]
    wanted = [base64.b64encode(_hmac(_standard_key(key), signed)) for key in keys]
    if not any(hmac.compare_digest(each.encode(), right) for each in said[:_MOST] for right in wanted):
        raise _other()
    return Proof(identity)


_BY_SENDER: dict[str, Callable[[Sequence[bytes], Headers, bytes, datetime], Proof]] = {
    "GitHub": _of_github,
    "GitLab": _of_gitlab,
    "Gitea": _of_gitea,
    "StandardWebhooks": _of_standard_webhooks,
    "Generic": _of_generic,
}


def _header(headers: Headers, name: str) -> str:
    if not headers.get(name):
        raise unauthenticated(f"The Trigger asks for a signature, and the header {name} is missing; sign the body.")
    return headers[name]


def _timely(headers: Headers, name: str, now: datetime) -> str:
    """Return the seconds that the header says, where they are about now."""
    said = _header(headers, name)
    if not _SECONDS.fullmatch(said):
        raise unauthenticated(f"The header {name} is no time; give the seconds since 1970 as digits.")
    if abs(int(said) - now.timestamp()) > WINDOW:
        raise RequestRefused(
            401,
            "replayed",
            f"The header {name} is more than {WINDOW // 60} minutes from now; sign anew, or set the sender's clock.",
        )
    return said


def _compare_hex(keys: Sequence[bytes], signed: bytes, said: str) -> None:
    given = bytes.fromhex(said) if _HEX.fullmatch(said) else b""
    if not any(hmac.compare_digest(given, _hmac(key, signed)) for key in keys):
        raise _other()


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _standard_key(key: bytes) -> bytes:
    """Return the key that its text stands for: `whsec_` and Base64; any other text is itself."""
    if not key.startswith(b"whsec_"):
        return key
    try:
        return base64.b64decode(key.removeprefix(b"whsec_"), validate=True)
    except ValueError:
        return key


def _other() -> RequestRefused:
    return unauthenticated("The signature is not that of this body by a key of this Trigger; check key and sender.")
