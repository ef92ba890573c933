"""A server is trusted with claims and commits only after it has turned away a second put of the same key."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.storage.s3 import BucketStore, open_bucket
from penstock_jobs.storage.s3_client import S3Timeouts
from s3_proxy import Answer, Fault, Headers, Loses, run_gateway
from s3_server import S3Server

pytestmark = pytest.mark.s3
PATIENCE = S3Timeouts(connect=2, read=5, attempts=3)


@contextmanager
def store_behind(server: S3Server, fault: Fault, loses: Loses | None = None) -> Iterator[BucketStore]:
    with run_gateway(server, fault, loses) as gateway:
        yield open_bucket(gateway.location(f"tests/{uuid4().hex}"), PATIENCE)


def is_conditional_put(method: str, path: str, headers: Headers) -> bool:
    return method == "PUT" and "if-none-match" in headers


def honest(method: str, path: str, headers: Headers) -> Answer | None:
    return None


def deaf(method: str, path: str, headers: Headers) -> Answer | None:
    headers.pop("if-none-match", None)
    return None


def test_a_server_that_ignores_the_condition_is_found_out_and_refused(s3_server: S3Server) -> None:
    with store_behind(s3_server, deaf) as store:
        with pytest.raises(Refused, match=r"does not honour conditional writes .* in the bucket ml-team.*use a server"):
            store.write_if_absent("claims/1", b"")
        assert not store.exists("claims/1")


def test_a_server_that_does_not_know_the_condition_is_refused_too(s3_server: S3Server) -> None:
    def unknown(method: str, path: str, headers: Headers) -> Answer | None:
        return (501, {}, b"") if is_conditional_put(method, path, headers) else None

    with store_behind(s3_server, unknown) as store, pytest.raises(Refused, match="does not honour conditional writes"):
        store.write_if_absent("claims/1", b"")


def test_the_probe_is_removed_whatever_it_found(s3_server: S3Server) -> None:
    for fault in (honest, deaf):
        with store_behind(s3_server, fault) as store:
            with suppress(Refused):
                store.write_if_absent("claims/1", b"")
            found = s3_server.client().list_objects_v2(Bucket="ml-team", Prefix=store.prefix)
            assert {item["Key"] for item in found.get("Contents", [])} <= {f"{store.prefix}/claims/1"}


def test_a_server_is_asked_once_for_a_bucket(s3_server: S3Server) -> None:
    puts: list[str] = []

    def counting(method: str, path: str, headers: Headers) -> Answer | None:
        if is_conditional_put(method, path, headers):
            puts.append(path)
        return None

    with store_behind(s3_server, counting) as store:
        for name in ("1", "2", "3"):
            store.child("runs").write_if_absent(name, b"")
    assert sum(".penstock-probe-" in path for path in puts) == 2
    assert len(puts) == 5


def test_a_probe_left_behind_by_a_killed_process_is_no_key(s3_server: S3Server) -> None:
    store = open_bucket(s3_server.location(f"tests/{uuid4().hex}"))
    store.write(".penstock-probe-0", b"")
    assert store.keys() == []


def test_a_write_whose_answer_is_lost_is_still_known_as_ones_own(s3_server: S3Server) -> None:
    lost: list[str] = []

    def loses(method: str, path: str, headers: Headers) -> bool:
        if is_conditional_put(method, path, headers) and path.endswith("/claims/1") and not lost:
            lost.append(path)
            return True
        return False

    with store_behind(s3_server, honest, loses) as store:
        assert store.write_if_absent("claims/1", b"mine") is True
        assert store.read("claims/1") == b"mine"
        assert store.write_if_absent("claims/1", b"mine") is False
    assert len(lost) == 1


def test_a_write_turned_away_after_a_retry_is_not_taken_for_ones_own(s3_server: S3Server) -> None:
    answered: list[int] = []

    def busy_once(method: str, path: str, headers: Headers) -> Answer | None:
        if is_conditional_put(method, path, headers) and path.endswith("/claims/1") and not answered:
            answered.append(503)
            return 503, {}, b""
        return None

    with store_behind(s3_server, busy_once) as store:
        store.write("claims/1", b"another's")
        assert store.write_if_absent("claims/1", b"another's") is False
    assert answered == [503]


def conflict(times: int) -> Fault:
    """Answer as S3 does when two conditional writes of one key meet."""
    answered: list[int] = []
    body = b"<Error><Code>ConditionalRequestConflict</Code><Message>try again</Message></Error>"

    def fault(method: str, path: str, headers: Headers) -> Answer | None:
        if is_conditional_put(method, path, headers) and path.endswith("/claims/1") and len(answered) < times:
            answered.append(409)
            return 409, {"content-type": "application/xml"}, body
        return None

    return fault


def test_two_writes_at_once_are_tried_again_until_one_is_in(s3_server: S3Server) -> None:
    with store_behind(s3_server, conflict(times=3)) as store:
        assert store.write_if_absent("claims/1", b"") is True


def test_a_conflict_without_end_is_given_up(s3_server: S3Server) -> None:
    with store_behind(s3_server, conflict(times=10_000)) as store, pytest.raises(Unavailable, match="try again"):
        store.write_if_absent("claims/1", b"")
