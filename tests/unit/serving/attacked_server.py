"""A server as a process that is attacked over loopback, and how much memory it takes meanwhile."""

import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

ROOM = 100  # MiB above rest, which no client may make a server take
PREDICT, INFER = "/v1/models/churn:predict", "/v2/models/churn/infer"
_PATIENCE = 120  # seconds until a test is given up


class Answer(NamedTuple):
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def sentence(self) -> str:
        """What a refused client reads."""
        content = json.loads(self.body)
        assert content.keys() == {"error"}, content
        assert content["error"].endswith("."), content
        assert len(content["error"]) < 1000
        return str(content["error"])


class AttackedServer:
    """A server that runs, by its process and its port."""

    def __init__(self, pid: int, url: str) -> None:
        self.pid = pid
        self.port = int(url.rpartition(":")[2])

    def connect(self, receive_bytes: int | None = None) -> socket.socket:
        client = socket.socket()
        client.settimeout(_PATIENCE)
        if receive_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.connect(("127.0.0.1", self.port))
        return client

    def say(self, *parts: bytes) -> list[Answer]:
        """Return all answers to what is sent, until the server closes the connection."""
        with self.connect() as client:
            send(client, *parts)
            return answers(read_to_end(client))

    def say_all(self, *parts: bytes) -> list[Answer]:
        """Return all answers to what is sent by a client that says then that this was all."""
        with self.connect() as client:
            send(client, *parts)
            hang_up(client)
            return answers(read_to_end(client))

    def is_healthy(self) -> bool:
        [answer] = self.say(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        return answer.status == 200

    def memory(self, what: str = "VmRSS") -> int:
        """Return the memory of the process in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) // 1024

    def open_files(self) -> int:
        """Return how many files the process has open, of which each connection is one."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Require that it takes no more memory than it may meanwhile, and answers afterwards."""
        rest = self.memory()
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak is counted from here on
        yield
        assert self.is_healthy()
        assert self.memory("VmHWM") - rest < ROOM


def send(client: socket.socket, *parts: bytes) -> None:
    """Send what the server takes; one that refused need not take it all."""
    try:
        for part in parts:
            client.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return


def hang_up(client: socket.socket) -> None:
    """Say that nothing more will be sent."""
    try:
        client.shutdown(socket.SHUT_WR)
    except OSError:
        return


def read_to_end(client: socket.socket) -> bytes:
    """Return what the server says until it closes the connection."""
    found = bytearray()
    try:
        while part := client.recv(1 << 20):
            found += part
    except ConnectionResetError:
        pass
    return bytes(found)


def answers(found: bytes) -> list[Answer]:
    """Return the answers in what a server said, each of them whole."""
    read = []
    while found:
        head, separator, found = found.partition(b"\r\n\r\n")
        assert separator, head
        first, *lines = head.decode().split("\r\n")
        status = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)[1])  # type: ignore[index]
        headers = dict(line.split(": ", 1) for line in lines)
        if status == 100:
            continue
        length = int(headers["content-length"])
        assert len(found) >= length, "the answer was cut off"
        read.append(Answer(status, headers, found[:length]))
        found = found[length:]
    return read


def is_answered(client: socket.socket) -> bool:
    """Return whether something can be read already."""
    return bool(select.select([client], [], [], 0)[0])


def post(path: str, body: Any, *headers: str) -> bytes:
    """Return a request, whose connection is closed after it."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = [f"POST {path} HTTP/1.1", "host: x", "connection: close", f"content-length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
