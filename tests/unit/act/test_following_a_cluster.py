"""A person's watch outlives what happens to a connection in hours, and each line of a log comes once."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import Transient
from penstock.kubernetes.kinds import RUN, Object
from penstock.remote import cluster as asked
from penstock.remote import run_logs
from penstock.remote.cluster import Cluster
from penstock.remote.run_logs import LogOf, lines_of, logs_of

Script = deque[list[object] | Exception]
NO_ANSWER = Transient(0, "NoAnswer", "The API server does not answer.")
UNKNOWN = Transient(401, "Unauthorized", "Unauthorized")


class Scripted:
    """A connection whose lists and streams are said beforehand, one after the other."""

    def __init__(self, lists: Script, streams: Script) -> None:
        self.lists, self.streams = lists, streams
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.requests.append(request)
        said = self.lists.popleft()
        if isinstance(said, Exception):
            raise said
        body = {"metadata": {"resourceVersion": "7"}, "items": said}
        return Answer(200, {}, json.dumps(body).encode())

    async def lines(self, request: Request) -> AsyncIterator[bytes]:
        self.requests.append(request)
        said = self.streams.popleft()
        if isinstance(said, Exception):
            raise said
        for each in said:
            if isinstance(each, Exception):
                raise each
            yield each if isinstance(each, bytes) else json.dumps(each).encode()


def run(version: str, reason: str = "Running") -> Object:
    return {"metadata": {"name": "one", "resourceVersion": version}, "reason": reason}


def event(kind: str, found: Object) -> Object:
    return {"type": kind, "object": found}


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "_PAUSES", (0.0,))
    monkeypatch.setattr(run_logs, "_PAUSE", 0.0)


def watched(connection: Scripted, until: str, renewed: Callable[[], Awaitable[None]] | None = None) -> list[str | None]:
    """Return what was seen of the run until it had that reason."""
    sentences: list[str] = []

    async def nothing() -> None:
        pass

    async def look() -> list[str | None]:
        cluster = Cluster(connection, "team", "https://one", sentences.append, renewed or nothing)  # type: ignore[arg-type]
        seen: list[str | None] = []
        async for found in cluster.watch_one(RUN, "one"):
            seen.append(None if found is None else found["reason"])
            if seen[-1] == until:
                break
        return [*seen, *sentences]

    return asyncio.run(asyncio.wait_for(look(), 20))


def test_changes_are_seen_as_they_come() -> None:
    connection = Scripted(
        deque([[run("1")]]), deque([[event("MODIFIED", run("8", "Waiting")), event("MODIFIED", run("9", "Done"))]])
    )

    assert watched(connection, "Done") == ["Running", "Waiting", "Done"]
    assert query(connection.requests[1])["resourceVersion"] == "7"


def test_a_watch_that_ended_goes_on_from_where_it_was() -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})
    connection = Scripted(deque([[run("1")]]), deque([[bookmark], [event("MODIFIED", run("21", "Done"))]]))

    assert watched(connection, "Done") == ["Running", "Done"]
    assert query(connection.requests[2])["resourceVersion"] == "20"


def test_a_version_that_is_too_old_is_listed_anew() -> None:
    expired = event("ERROR", {"kind": "Status", "code": 410, "message": "too old"})
    connection = Scripted(deque([[run("1")], [run("30", "Done")]]), deque([[expired]]))

    assert watched(connection, "Done") == ["Running", "Done"]


def test_an_object_that_goes_is_seen_to_go_and_to_come_again() -> None:
    events: list[object] = [event("DELETED", run("8")), event("ADDED", run("9", "Done"))]

    assert watched(Scripted(deque([[run("1")]]), deque([events])), "Done") == ["Running", None, "Done"]


def test_an_outage_is_waited_out_and_told_once() -> None:
    done: list[object] = [event("MODIFIED", run("9", "Done"))]
    streams: Script = deque([*[NO_ANSWER] * 6, done])

    assert watched(Scripted(deque([[run("1")]]), streams), "Done") == [
        "Running",
        "Done",
        "The API server does not answer. It is asked again until it does.",
    ]


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    with pytest.raises(Transient):
        watched(Scripted(deque([NO_ANSWER]), deque()), "Done")


def test_a_token_that_ran_out_is_renewed_once() -> None:
    renewals = []

    async def renew() -> None:
        renewals.append(1)

    streams: Script = deque([UNKNOWN, [event("MODIFIED", run("9", "Done"))]])
    assert watched(Scripted(deque([[run("1")]]), streams), "Done", renew) == ["Running", "Done"]
    assert renewals == [1]

    with pytest.raises(Transient):
        watched(Scripted(deque([[run("1")]]), deque([UNKNOWN, UNKNOWN])), "Done", renew)


def read(*streams: list[object] | Exception) -> tuple[list[bytes], Scripted]:
    connection = Scripted(deque(), deque(streams))

    async def nothing() -> None:
        pass

    async def all_lines() -> list[bytes]:
        cluster = Cluster(connection, "team", "https://one", print, nothing)  # type: ignore[arg-type]
        return [line async for line in lines_of(cluster, LogOf("pod", "dataset"), follow=True)]

    return asyncio.run(asyncio.wait_for(all_lines(), 20)), connection


def stamped(second: int, text: str) -> bytes:
    return f"2026-11-21T12:00:{second:02}.000000000Z {text}".encode()


def test_a_log_whose_connection_broke_is_read_on_without_a_line_twice() -> None:
    lines, connection = read(
        [stamped(1, "one"), stamped(2, "two"), NO_ANSWER],
        [stamped(2, "two"), stamped(3, "three")],
    )

    assert lines == [b"one", b"two", b"three"]
    assert query(connection.requests[1])["sinceTime"] == "2026-11-21T12:00:02.000000000Z"


def test_lines_of_one_moment_are_all_read() -> None:
    assert read([stamped(1, "one"), stamped(1, "two")])[0] == [b"one", b"two"]


def test_what_only_the_operator_reads_is_left_out() -> None:
    assert read([stamped(1, "one"), stamped(2, "penstock-result 1/2 abc")])[0] == [b"one"]


def test_a_log_that_never_comes_is_given_up() -> None:
    lines, connection = read(*[NO_ANSWER] * run_logs.ATTEMPTS)

    assert lines == []
    assert len(connection.requests) == run_logs.ATTEMPTS


def test_logs_come_in_the_order_of_their_pods_and_only_of_those_that_started() -> None:
    def pod(name: str, created: str, step: str, index: str | None = None, **state: object) -> Object:
        annotations = {} if index is None else {"batch.kubernetes.io/job-completion-index": index}
        metadata = {"name": name, "creationTimestamp": created, "labels": {"penstock.dev/step": step}}
        statuses = [{"name": "job", "state": state}] if state else []
        return {"metadata": metadata | {"annotations": annotations}, "status": {"containerStatuses": statuses}}

    pods = [
        pod("c", "2026-11-21T12:02:00Z", "training", "1", running={}),
        pod("b", "2026-11-21T12:02:00Z", "training", "0", terminated={}),
        pod("a", "2026-11-21T12:01:00Z", "dataset", terminated={}),
        pod("d", "2026-11-21T12:03:00Z", "testing", waiting={"reason": "ContainerCreating"}),
        pod("e", "2026-11-21T12:03:00Z", "testing"),
    ]

    assert logs_of(pods) == [LogOf("a", "dataset"), LogOf("b", "training", 0), LogOf("c", "training", 1)]
    assert logs_of(pods, "dataset") == [LogOf("a", "dataset")]
