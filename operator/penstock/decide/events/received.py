"""The events that a request holds: CloudEvents in their three forms, alerts, or plain JSON that is one event."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from penstock.api.run import TriggeringEvent
from penstock.api.scalars import TIMESTAMP
from penstock.decide.events.alertmanager import cloud_event_of, is_of_alertmanager
from penstock.decide.events.headers import DELIVERIES, KINDS, Headers
from penstock.decide.events.json_text import read_json
from penstock.decide.events.limits import Limits
from penstock.decide.events.refusal import RequestRefused, malformed, too_large, unsupported
from penstock.decide.events.signatures import Proof, digest_id
from penstock.decide.times import read_time, write_time

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_NAME = re.compile(r"[a-z0-9]{1,64}")
_LONGEST = {"id": 256, "type": 256, "source": 512}  # as a run keeps them
_LONGEST_OF_OTHERS = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class ReceivedEvent:
    """An event as it came.

    Attributes:
        event: what a run keeps of it.
        attributes: the others that it says of itself, as text.
        data: what it says, where that is JSON.
    """

    event: TriggeringEvent
    attributes: Mapping[str, str] = field(default_factory=dict)
    data: Any = None


def check_media_type(headers: Headers) -> None:
    """Raise `RequestRefused` where the body is of a kind that is not read, whatever is in it."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise unsupported("The body is compressed; send it as it is, without Content-Encoding.")
    kind = _media_type(headers)
    if "ce-specversion" not in headers and kind not in (STRUCTURED, BATCH) and not _is_json(kind):
        raise unsupported(
            f"The body is {kind[:64] or 'of no Content-Type'}; send application/json, application/cloudevents+json, "
            "application/cloudevents-batch+json, or the headers of a CloudEvent."
        )


def read_events(headers: Headers, body: bytes, proof: Proof, limits: Limits) -> tuple[ReceivedEvent, ...]:
    """Return the events of a request.

    Args:
        headers: those of the request, by their names in small letters.
        body: what came with them.
        proof: what the caller has proven of the request.
        limits: how much may be in it.

    Raises:
        RequestRefused: it holds no event, or more than may be.
    """
    check_media_type(headers)
    kind = _media_type(headers)
    if kind == BATCH:
        found = read_json(body, limits)
        if not isinstance(found, list):
            raise malformed("A batch is a list of CloudEvents; send one as a list of one.")
        return _read_each(found, f"The batch has {len(found)} events", "Event {} of the batch", limits)
    if kind == STRUCTURED:
        return (_structured(read_json(body, limits), limits),)
    if "ce-specversion" in headers:
        if proof.id is not None:
            raise malformed("The signature does not cover the ce- headers; send application/cloudevents+json.")
        return (_binary(headers, body, limits),)
    found = read_json(body, limits)
    if is_of_alertmanager(found):
        alerts = found["alerts"]
        return _read_each(alerts, f"Alertmanager sends {len(alerts)} alerts", "Alert {}", limits, cloud_event_of)
    return (_plain(headers, body, proof, found),)


def _read_each(
    found: Sequence[Any], counted: str, named: str, limits: Limits, convert: Callable[[Any], Any] = lambda each: each
) -> tuple[ReceivedEvent, ...]:
    """Return the events that these are, each of which is, or is converted into, a structured CloudEvent.

    Args:
        found: what came.
        counted: how many they are, for a sentence.
        named: which of them it is, for a sentence, with a place for its index.
        limits: how many there may be.
        convert: makes a CloudEvent of one.
    """
    if len(found) > limits.batch:
        raise too_large(f"{counted}; send at most {limits.batch} at once.")
    events = []
    for index, each in enumerate(found):
        try:
            events.append(_structured(convert(each), limits))
        except RequestRefused as refused:
            raise RequestRefused(refused.status, refused.word, f"{named.format(index)}: {refused}") from refused
    return tuple(events)


def _structured(found: Any, limits: Limits) -> ReceivedEvent:
    if not isinstance(found, dict):
        raise malformed("A CloudEvent is an object with id, source, type and specversion; send one.")
    said = {name: value for name, value in found.items() if name not in ("data", "data_base64") and value is not None}
    attributes = {name: _attribute(name, value) for name, value in said.items()}
    data = found.get("data")
    if found.get("data_base64") is not None:
        if data is not None:
            raise malformed("The CloudEvent has data and data_base64; give one of the two.")
        data = _decoded(found["data_base64"], attributes, limits)
    return _cloud_event(attributes, data)


def _decoded(text: Any, attributes: Mapping[str, str], limits: Limits) -> Any:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise malformed("data_base64 is no Base64; correct it, or send data.") from error
    return read_json(content, limits) if _is_json(attributes.get("datacontenttype", "")) else None


def _binary(headers: Headers, body: bytes, limits: Limits) -> ReceivedEvent:
    try:
        said = {name[3:]: unquote(value, errors="strict") for name, value in headers.items() if name[:3] == "ce-"}
    except UnicodeDecodeError as error:
        raise malformed("A ce- header is not UTF-8 once its percent signs are read; correct it.") from error
    attributes = {name: _attribute(name, value) for name, value in said.items()}
    kind = _media_type(headers)
    if kind:
        attributes["datacontenttype"] = kind
    return _cloud_event(attributes, read_json(body, limits) if body and _is_json(kind) else None)


def _attribute(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise malformed(f"{name[:64]!r} is no name of a CloudEvents attribute; use small letters and digits.")
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise malformed(f"The attribute {name} is no text, number or truth value; put it into data.")
    text = str(value)
    most = _LONGEST.get(name, _LONGEST_OF_OTHERS)
    if len(text) > most:
        raise malformed(f"The attribute {name} has {len(text)} characters; give at most {most}.")
    if _CONTROL.search(text):
        raise malformed(f"The attribute {name} has a control character; leave it out.")
    return text


def _cloud_event(attributes: Mapping[str, str], data: Any) -> ReceivedEvent:
    for name in ("id", "source", "type", "specversion"):
        if not attributes.get(name):
            raise malformed(f"The CloudEvent has no {name}; each has id, source, type and specversion.")
    if attributes["specversion"] != "1.0":
        raise malformed(f"The specversion is {attributes['specversion'][:16]}, and 1.0 is read; send that.")
    event = TriggeringEvent(
        id=attributes["id"], source=attributes["source"], type=attributes["type"], time=_time(attributes.get("time"))
    )
    others = {name: value for name, value in attributes.items() if name not in ("id", "source", "type", "time")}
    return ReceivedEvent(event, others, data)


def _time(text: str | None) -> str | None:
    """Return the moment in UTC, or refuse what is none."""
    if text is None:
        return None
    try:
        found: datetime | None = read_time(text.upper()) if re.fullmatch(TIMESTAMP, text) else None
        return write_time(found) if found is not None else _refuse_time(text)
    except (ValueError, OverflowError) as error:
        raise malformed(f"The attribute time is {text[:40]}, which is no moment; correct it.") from error


def _refuse_time(text: str) -> str:
    raise malformed(f"The attribute time is {text[:40]!r}; write it as 2026-01-31T03:00:00Z.")


def _plain(headers: Headers, body: bytes, proof: Proof, found: Any) -> ReceivedEvent:
    if proof.id is not None:
        identity = proof.id
    else:
        identity = next((headers[name] for name in DELIVERIES if headers.get(name)), "") or digest_id(body)
    kind = next((headers[name] for name in KINDS if headers.get(name)), None)
    said = {"id": identity} | ({"type": kind} if kind else {})
    checked = {name: _attribute(name, value) for name, value in said.items()}
    event = TriggeringEvent(id=checked["id"], type=checked.get("type"))
    return ReceivedEvent(event, {}, found)


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    kind = kind.partition(";")[0].strip().lower()
    return kind in ("application/json", "text/json") or kind.endswith("+json")
