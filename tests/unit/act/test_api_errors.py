"""What is to be done about each answer of the API server that is not good."""

import json

import pytest

from penstock.kubernetes.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    NamespaceEnding,
    NotFound,
    Rejected,
    Transient,
    error_of,
)


def _body(reason: str = "", **more: object) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": "why", **more}).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, _body("BadRequest"), Rejected),
        (401, _body("Unauthorized"), Transient),
        (403, _body("Forbidden"), Rejected),
        (403, _body("Forbidden", details={"causes": [{"reason": "NamespaceTerminating"}]}), NamespaceEnding),
        (404, _body("NotFound"), NotFound),
        (409, _body("AlreadyExists"), AlreadyExists),
        (409, _body("Conflict"), Conflict),
        (410, _body("Expired"), Expired),
        (413, b"too large", Rejected),
        (422, _body("Invalid"), Rejected),
        (429, _body("TooManyRequests"), Transient),
        (500, b"<html>a proxy</html>", Transient),
        (503, b"", Transient),
        (504, _body("Timeout"), Transient),
        (405, _body("MethodNotAllowed"), ApiError),
    ],
)
def test_each_answer_has_its_class(status: int, body: bytes, expected: type[ApiError]) -> None:
    assert type(error_of(status, {}, body)) is expected


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Retry-After": "7"}, _body(), 7.0),
        ({}, _body(details={"retryAfterSeconds": 3}), 3.0),
        ({}, _body(), None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, _body(), None),
        ({"Retry-After": "999999"}, _body(), 300.0),
    ],
)
def test_the_wait_that_the_server_asks_for_is_known(
    headers: dict[str, str], body: bytes, expected: float | None
) -> None:
    error = error_of(429, headers, body)

    assert isinstance(error, Transient)
    assert error.retry_after == expected


def test_the_message_is_the_servers_own_sentence() -> None:
    assert str(error_of(422, {}, _body("Invalid"))) == "why"
