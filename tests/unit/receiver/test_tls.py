"""The receiver behind a certificate: nothing is spent on who does not shake hands, and a renewed one is taken."""

import asyncio
import gc
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.decide.events.limits import Limits
from penstock.receiver.certificates import Certificates
from penstock_jobs.contract.errors import Refused
from unit.receiver.receiver_parts import PATH, TOKEN, Site, with_receiver

REQUEST = (
    f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Length: 2\r\nConnection: close\r\n\r\n{}"
)


def make_certificate(folder: Path, name: str) -> None:
    command = f"req -newkey rsa:2048 -nodes -x509 -keyout tls.key -out tls.crt -days 2 -subj /CN={name}"
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder as a Secret of type kubernetes.io/tls is mounted."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    make_certificate(tmp_path, "one")
    return tmp_path


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def ask(site: Site, said: str = REQUEST) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=client_context())
    writer.write(said.encode())
    found = await reader.read()
    writer.close()
    return found.split(b"\r\n")[0]


def test_events_come_in_by_tls(certificates: Path) -> None:
    assert with_receiver(ask, certificates=str(certificates)) == b"HTTP/1.1 202 Accepted"


def test_who_speaks_no_tls_is_sent_away(certificates: Path) -> None:
    async def told(site: Site) -> Any:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(REQUEST.encode())
        try:
            found = await reader.read()
        except ConnectionResetError:
            found = b""
        writer.close()
        await site.until(lambda: len(site.service.connections) == 0)
        return found

    assert b"202" not in with_receiver(told, certificates=str(certificates))


def test_who_never_shakes_hands_makes_room_for_who_does(certificates: Path) -> None:
    async def told(site: Site) -> Any:
        slow = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(100)]
        answers = [await ask(site) for _ in range(2)]
        closed = (await site.metrics())['penstock_receiver_connections_closed_total{state="opening"}']
        for _, writer in slow:
            writer.transport.abort()
        return answers, closed >= 92

    limits = Limits(connections=8)
    assert with_receiver(told, certificates=str(certificates), limits=limits) == ([b"HTTP/1.1 202 Accepted"] * 2, True)


def test_of_who_made_room_nothing_stays_in_memory(certificates: Path) -> None:
    async def told(site: Site) -> int:
        slow = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(100)]
        await ask(site)
        for _, writer in slow:
            writer.transport.abort()
        return sum(type(each).__name__ == "SSLProtocol" for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        assert with_receiver(told, certificates=str(certificates), limits=Limits(connections=8)) < 20
    finally:
        gc.enable()


def test_who_does_not_shake_hands_in_time_is_forgotten(certificates: Path) -> None:
    async def told(site: Site) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        await reader.read()
        writer.close()
        await site.until(lambda: len(site.service.connections) == 0)
        return len(site.service.connections)

    assert with_receiver(told, certificates=str(certificates), limits=Limits(seconds=1)) == 0


def test_a_certificate_that_was_renewed_is_shown_from_then_on(certificates: Path) -> None:
    found = Certificates(certificates)

    async def shown() -> bytes:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", ssl=found.context)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context())
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        server.close()
        return certificate

    before = asyncio.run(shown())
    make_certificate(certificates, "two")
    found.load()

    assert asyncio.run(shown()) != before
    assert asyncio.run(shown()) == ssl.PEM_cert_to_DER_cert((certificates / "tls.crt").read_text())


def test_a_certificate_that_is_not_there_is_a_mistake_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be used: .* Mount tls\.crt and tls\.key\."):
        Certificates(tmp_path)
