"""CloudEvents in their three forms, and plain JSON."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.decide.events.headers import read_headers
from penstock.decide.events.json_text import read_json
from penstock.decide.events.limits import Limits
from penstock.decide.events.received import BATCH, STRUCTURED, ReceivedEvent, read_events
from penstock.decide.events.refusal import RequestRefused
from penstock.decide.events.signatures import BY_TOKEN, Proof
from unit.receiver.receiver_parts import ReceiverApi, Site, cloud_event, with_receiver

LIMITS = Limits()


def read(
    body: Any, kind: str = STRUCTURED, headers: dict[str, str] | None = None, proof: Proof = BY_TOKEN
) -> list[ReceivedEvent]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = {"Content-Type": kind, **(headers or {})}.items()
    return list(read_events(read_headers(pairs), content, proof, LIMITS))


def refusal(*words: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refused:
        read(*words, **more)
    return refused.value.status, str(refused.value)


BINARY = {"ce-id": "7", "ce-source": "/shop", "ce-type": "rows.arrived", "ce-specversion": "1.0"}


def test_structured_and_binary_say_the_same() -> None:
    attributes = {"subject": "rows/7", "datacontenttype": "application/json"}
    (one,) = read(cloud_event("7", data={"rows": 1}, **attributes))
    (other,) = read({"rows": 1}, "application/json", BINARY | {"ce-subject": "rows/7"})

    assert one == other
    assert (one.event.id, one.event.source, one.event.type) == ("7", "/shop", "rows.arrived")
    assert one.data == {"rows": 1}


def test_headers_are_read_with_their_percent_signs() -> None:
    (found,) = read(b"", "", BINARY | {"ce-subject": "Gr%C3%B6%C3%9Fe%20M"})

    assert found.attributes["subject"] == "Größe M"


def test_a_batch_has_each_of_its_events() -> None:
    assert [each.event.id for each in read([cloud_event("1"), cloud_event("2")], BATCH)] == ["1", "2"]
    assert read([], BATCH) == []


def test_an_event_of_a_batch_that_is_none_is_named() -> None:
    assert refusal([cloud_event("1"), {"id": "2"}], BATCH) == (
        400,
        "Event 1 of the batch: The CloudEvent has no source; each has id, source, type and specversion.",
    )


def test_a_batch_that_is_too_long_is_refused_whole() -> None:
    assert refusal([cloud_event(str(number)) for number in range(101)], BATCH) == (
        413,
        "The batch has 101 events; send at most 100 at once.",
    )


def test_data_in_base64_are_read_where_they_are_json() -> None:
    text = base64.b64encode(b'{"rows": 1}').decode()
    (found,) = read(cloud_event(data_base64=text, datacontenttype="application/json"))
    (other,) = read(cloud_event(data_base64=text, datacontenttype="image/png"))

    assert (found.data, other.data) == ({"rows": 1}, None)


def test_plain_json_is_one_event_whose_id_is_a_hash_of_it() -> None:
    (found,) = read(b'{"a": 1}', "application/json; charset=utf-8")

    assert found.event.id == "sha256:" + hashlib.sha256(b'{"a": 1}').hexdigest()
    assert found.data == {"a": 1}


@pytest.mark.parametrize("name", ["X-GitHub-Delivery", "X-Gitea-Delivery", "Idempotency-Key", "webhook-id"])
def test_a_header_may_say_which_delivery_it_is(name: str) -> None:
    (found,) = read(b"{}", "application/json", {name: "72d3162e"})

    assert found.event.id == "72d3162e"


def test_a_header_that_is_not_signed_says_nothing() -> None:
    (found,) = read(b"{}", "application/json", {"X-GitHub-Delivery": "new"}, Proof("sha256:of-the-body"))

    assert found.event.id == "sha256:of-the-body"
    assert refusal(b"{}", "application/json", BINARY, Proof("sha256:of-the-body")) == (
        400,
        "The signature does not cover the ce- headers; send application/cloudevents+json.",
    )


def test_what_kind_of_event_it_is_a_git_host_says_in_a_header() -> None:
    (found,) = read(b"{}", "application/json", {"X-GitHub-Event": "push"})

    assert found.event.type == "push"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (cloud_event(type=None), "The CloudEvent has no type; each has id, source, type and specversion."),
        (cloud_event(specversion="0.3"), "The specversion is 0.3, and 1.0 is read; send that."),
        (cloud_event("x" * 257), "The attribute id has 257 characters; give at most 256."),
        (cloud_event("a\nb"), "The attribute id has a control character; leave it out."),
        (cloud_event(time="yesterday"), "The attribute time is 'yesterday'; write it as 2026-01-31T03:00:00Z."),
        (cloud_event(time="2026-02-30T00:00:00Z"), "The attribute time is 2026-02-30T00:00:00Z, which is no moment;"),
        (cloud_event(subject={"a": 1}), "The attribute subject is no text, number or truth value; put it into data."),
        (cloud_event(**{"No-Name": "1"}), "'No-Name' is no name of a CloudEvents attribute;"),
        (cloud_event(data=1, data_base64="MQ=="), "The CloudEvent has data and data_base64; give one of the two."),
        (cloud_event(data_base64="?"), "data_base64 is no Base64; correct it, or send data."),
        ([], "A CloudEvent is an object with id, source, type and specversion; send one."),
    ],
)
def test_what_is_no_cloud_event_is_refused_in_a_sentence(event: Any, sentence: str) -> None:
    status, said = refusal(event)

    assert status == 400
    assert said.startswith(sentence)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, "The body is application/x-www-form-urlencoded; send"),
        ({"Content-Type": ""}, "The body is of no Content-Type; send application/json,"),
        ({"Content-Encoding": "gzip"}, "The body is compressed; send it as it is, without Content-Encoding."),
    ],
)
def test_a_body_of_another_kind_is_refused(headers: dict[str, str], sentence: str) -> None:
    status, said = refusal(b"{}", "application/json", headers)

    assert status == 415
    assert said.startswith(sentence)


def test_a_header_that_is_there_twice_is_refused() -> None:
    with pytest.raises(RequestRefused, match="The header ce-id is there twice; send it once"):
        read_headers([("ce-id", "1"), ("CE-ID", "2")])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"a": 1, "a": 2}', "The body says 'a' twice in one object; say it once."),
        (b'{"a": NaN}', "The body says NaN, which is no JSON; leave it out, or send it as text."),
        (b"[" * 65 + b"]" * 65, "The body is nested more than 64 deep; send it flatter."),
        (b"[" * 100_000, "The body is nested more than 64 deep; send it flatter."),
        (b"\xff", "The body is not UTF-8 at byte 0; send JSON in UTF-8."),
        (b'{"a": }', "The body is no JSON at line 1, column 7:"),
        (b'"\\ud800"', "The body has half of a character (a lone surrogate); send whole ones."),
        (b"1" * 5000, "The body has a number with too many digits; send it as text."),
        (b"[" + b"1," * 100_000 + b"1]", "The body has more than 100000 values; send less with one event."),
    ],
)
def test_json_that_two_readers_could_take_differently_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        read_json(body, LIMITS)

    assert str(refused.value).startswith(sentence)


@given(some.binary(max_size=200) | some.text(max_size=200).map(str.encode))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for kind in (STRUCTURED, BATCH, "application/json"):
        try:
            read(body, kind)
        except RequestRefused as refused:
            assert refused.status in (400, 413)  # noqa: PT017


@given(some.dictionaries(some.sampled_from(["ce-id", "ce-source", "ce-time", "ce-x"]), some.text(max_size=20)))
def test_whatever_headers_come_are_read_or_refused(headers: dict[str, str]) -> None:
    try:
        read(b"{}", "application/json", headers | {"ce-specversion": "1.0"})
    except RequestRefused as refused:
        assert refused.status == 400  # noqa: PT017


def test_a_batch_makes_a_run_of_each_event_and_says_nothing_in_reply() -> None:
    async def told(site: Site) -> tuple[int, str]:
        answer = await site.post([cloud_event("1"), cloud_event("2"), cloud_event("1")], BATCH)
        return answer.status, answer.text

    api = ReceiverApi()
    assert with_receiver(told, api=api) == (202, "")
    assert sorted(each["spec"]["trigger"]["event"]["id"] for each in api.runs()) == ["1", "2"]


def test_binary_mode_makes_a_run() -> None:
    async def told(site: Site) -> int:
        return (await site.post(b"", "", headers=BINARY)).status

    api = ReceiverApi()
    assert with_receiver(told, api=api) == 202
    assert api.runs()[0]["spec"]["trigger"]["event"]["id"] == "7"
