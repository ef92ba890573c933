"""What a stranger can make the receiver do is bounded: in bytes, in time, in connections, in questions."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.decide.events.limits import Limits
from penstock.receiver.__main__ import main
from penstock.receiver.connections import Connection, Connections
from penstock.receiver.service import ReceiverService
from penstock.receiver.settings import ReceiverSettings
from unit.receiver.receiver_parts import (
    PATH,
    TOKEN,
    ReceiverApi,
    Reply,
    Site,
    cloud_event,
    make_trigger,
    with_receiver,
)

SMALL = Limits(body=1024, connections=8, seconds=1)
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n"


async def speak(site: Site, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection, and say this on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(text)
    await writer.drain()
    return reader, writer


async def answer_to(site: Site, text: bytes) -> bytes:
    """Return all that is answered to these bytes until the connection is closed."""
    reader, writer = await speak(site, text)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large_is_refused(chunked: bool) -> None:
    async def told(site: Site) -> tuple[Reply, float]:
        async def pieces() -> Any:
            for _ in range(100):
                yield b" " * 100

        address = f"http://127.0.0.1:{site.port}{PATH}"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        content = pieces() if chunked else b" " * 10_000
        async with site.session.post(address, data=content, headers=headers) as answer:
            return Reply(answer.status, await answer.text(), {}), site.service.receiver.bodies.held

    found, held = with_receiver(told, limits=SMALL)
    assert (found.status, held) == (413, 0)
    assert found.text == "The body is larger than 1024 bytes; send less at once.\n"


def test_a_body_is_not_read_of_whom_nobody_knows() -> None:
    async def told(site: Site) -> bytes:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        return await answer_to(site, f"{head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())

    assert b" 401 " in with_receiver(told, limits=SMALL).split(b"\r\n")[0]


def test_who_asks_whether_to_go_on_is_told_so() -> None:
    async def told(site: Site) -> list[bytes]:
        reader, writer = await speak(site, f"{HEAD}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"{}")
        second = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return [first.split(b"\r\n")[0], second.split(b"\r\n")[0]]

    assert with_receiver(told) == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 202 Accepted"]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def told(site: Site) -> bytes:
        return await answer_to(site, f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())

    found = with_receiver(told, limits=SMALL)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"The body took longer than 1 seconds to arrive; send it at once." in found


def test_headers_that_do_not_come_are_not_waited_for() -> None:
    async def told(site: Site) -> bytes:
        return await answer_to(site, HEAD.encode())

    assert with_receiver(told, limits=SMALL) == b""


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\r\n" + "X-A: 1\r\n" * 100,
        "GET / HTTP/1.1\r\nX-A: " + "a" * 10_000 + "\r\n",
        "GET /" + "a" * 10_000 + " HTTP/1.1\r\n",
        "no http at all\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    ],
)
def test_a_head_that_is_too_long_or_none_is_refused_and_counted(head: str) -> None:
    async def told(site: Site) -> tuple[bytes, float]:
        found = await answer_to(site, f"{head}\r\n".encode())
        return found, (await site.metrics())['penstock_receiver_requests_refused_total{reason="malformed"}']

    found, counted = with_receiver(told, limits=SMALL)
    assert (found.split(b" ")[1], counted) == (b"400", 1)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_one_there_is(method: str) -> None:
    async def told(site: Site) -> Reply:
        return await site.post(method=method)

    found: Reply = with_receiver(told)
    assert (found.status, found.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/triggers/team",
        "/v1/triggers/team/arrivals/",
        "/v1/triggers/Team/arrivals",
        "/v1/triggers/team/%2e%2e",
        "/healthz",
        "/metrics",
    ],
)
def test_there_is_nothing_at_other_paths(path: str) -> None:
    async def told(site: Site) -> tuple[int, str]:
        answer = await site.post(path=path)
        return answer.status, answer.text

    assert with_receiver(told) == (404, "There is nothing here; events go to /v1/triggers/NAMESPACE/NAME.")


def test_a_refusal_is_one_sentence_of_plain_text() -> None:
    async def told(site: Site) -> Reply:
        return await site.post(b"{", "application/cloudevents+json")

    found: Reply = with_receiver(told)
    assert found.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert found.text == (
        "The body is no JSON at line 1, column 2: Expecting property name enclosed in double quotes; correct it."
    )


def test_what_is_more_than_can_be_held_at_once_may_come_again() -> None:
    async def told(site: Site) -> tuple[bytes, int]:
        one = f"{HEAD}Content-Length: 900\r\n\r\n".encode() + b" " * 800
        held = [await speak(site, one) for _ in range(2)]
        await site.until(lambda: site.service.receiver.bodies.held == 1600)
        found = await answer_to(site, one)
        for _, writer in held:
            writer.close()
        await site.until(lambda: site.service.receiver.bodies.held == 0)
        return found.split(b"\r\n")[0], (await site.post()).status

    limits = Limits(body=1024, bodies=2000)
    assert with_receiver(told, limits=limits) == (b"HTTP/1.1 503 Service Unavailable", 202)


# --- connections ---


def many_slow(said: bytes, number: int = 300) -> Callable[[Site], Awaitable[Any]]:
    async def told(site: Site) -> Any:
        slow = [await speak(site, said) for _ in range(number)]
        answers = await site.send("1", "2")
        async with site.session.get(f"http://127.0.0.1:{site.health_port}/healthz") as health:
            healthy = health.status
        most, counted = len(site.service.connections), await site.metrics()
        for _, writer in slow:
            writer.transport.abort()
        closed = sum(value for name, value in counted.items() if "connections_closed" in name)
        return answers, healthy, most, closed

    return told


@pytest.mark.parametrize(
    "said", [b"", b"POST /v1/tr", HEAD.encode(), f"{HEAD}Content-Length: 100\r\n\r\n{{".encode()], ids=range(4)
)
def test_slow_connections_make_room_for_those_that_say_what_they_want(said: bytes) -> None:
    answers, healthy, most, closed = with_receiver(many_slow(said), limits=Limits(connections=8))

    assert answers == [202, 202]
    assert healthy == 200
    assert most <= 8
    assert closed >= 292


def test_who_is_being_answered_loses_no_connection() -> None:
    closed: list[str] = []
    connections = Connections(1, closed.append)
    ended: list[int] = []
    one = Connection(lambda: ended.append(1))
    assert connections.admit(one)
    connections.name(one, "one")

    with connections.busy("one"):
        assert not connections.admit(Connection(lambda: None))
    assert connections.admit(Connection(lambda: None))

    assert (ended, closed) == ([1], ["new", "waiting"])


def test_the_one_that_has_kept_us_waiting_longest_makes_room() -> None:
    connections = Connections(3, lambda state: None)
    ended: list[str] = []
    for name in "abc":
        each = Connection(lambda name=name: ended.append(name))  # type: ignore[misc]
        assert connections.admit(each)
        connections.name(each, name)
    with connections.busy("a"):
        pass  # it said something, and waits since then only

    for _ in range(3):
        assert connections.admit(Connection(lambda: None))

    assert ended == ["b", "c", "a"]


def test_a_connection_that_is_closed_is_forgotten() -> None:
    async def told(site: Site) -> int:
        for _ in range(20):
            _, writer = await speak(site, b"")
            writer.close()
            await writer.wait_closed()
        await site.until(lambda: len(site.service.connections) == 0)
        return len(site.service.connections)

    assert with_receiver(told) == 0


# --- the end ---


def test_what_was_begun_is_answered_before_the_end() -> None:
    api = ReceiverApi()

    async def told(site: Site) -> "asyncio.Task[Reply]":
        await site.send("0")
        api.latency = 0.3
        asked = asyncio.ensure_future(site.post(cloud_event("1"), "application/cloudevents+json"))
        await site.until(lambda: api.in_flight > 0)
        return asked

    async def ended(site: Site) -> int:
        asked = await told(site)
        site.service.receiver.ending = True
        return (await asked).status

    assert with_receiver(ended, api=api) == 202
    assert len(api.runs()) == 2


def test_told_to_end_it_ends_by_itself() -> None:
    async def run() -> bool:
        api = ReceiverApi()
        settings = ReceiverSettings(port=0, health_port=0, drain=0)
        service = ReceiverService(api, settings, "receiver-1")
        await service.run(lambda *ports: os.kill(os.getpid(), signal.SIGTERM))
        return service.ready()

    assert asyncio.run(run()) is False


def test_a_mistake_in_its_settings_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("limits: {body: 1}")

    assert main(["--settings", str(file)]) == 2
    assert capsys.readouterr().err == (
        f"The settings {file} are refused: Expected `int` >= 1024 - at `$.limits.body`.\n"
    )


def test_it_takes_no_events_before_it_knows_all_triggers() -> None:
    async def told(site: Site) -> bool:
        return site.service.ready()

    assert with_receiver(told) is True


def test_no_socket_is_left() -> None:
    async def told(site: Site) -> int:
        await site.send("1")
        return site.port

    port = with_receiver(told)
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", port)) != 0


def test_a_trigger_that_cannot_be_read_says_why() -> None:
    async def told(site: Site) -> Reply:
        return await site.post()

    found: Reply = with_receiver(told, make_trigger(delivery="Twice"))
    assert found.status == 503
    assert "cannot be read" in found.text
