"""The job that notifies, against a real server: what it posts, what it tries again, and what it says of neither."""

import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock_jobs import notify
from penstock_jobs.contract import errors
from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.contract.notification import NotificationRequest, OutboundData, OutboundEvent

EVENT = OutboundEvent(
    id="0b5c7f19",
    event="ModelServed",
    source="/apis/penstock.dev/v1alpha1/namespaces/team/pipelines/churn",
    subject="churn-1-forest",
    time="2026-03-01T12:00:00Z",
    sentence="The Model churn-1-forest is served by the Pipeline churn & <others>.",
    data=OutboundData(namespace="team", pipeline="churn", run="churn-1", model="churn-1-forest", reason="Improved"),
)


@dataclass
class Receiver:
    """A server that answers with these statuses in turn, with the last of them for ever, and keeps what came."""

    statuses: list[int] = field(default_factory=lambda: [204])
    posted: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    def url(self, rest: str = "/hooks/sesame?token=open") -> str:
        return f"http://127.0.0.1:{self.port}{rest}"

    def answer(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def listening(receiver: Receiver, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append((self.path, dict(self.headers), json.loads(body)))
            status = receiver.answer()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url("/elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.posted.append((self.path, {}, None))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as found:
        yield found


Ask = Callable[..., NotificationRequest]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Return what asks for the event to be posted to a URL."""

    def asked(url: str, style: str = "CloudEvent") -> NotificationRequest:
        file = tmp_path / "url"
        file.write_text(f"{url}\n", "utf-8")
        return NotificationRequest(event=EVENT, style=style, url_file=str(file), secret="key url in a Secret hook")  # type: ignore[arg-type]

    return asked


# --- what is posted ---------------------------------------------------------------------------------------------------


def test_a_cloud_event_is_posted_structured_to_the_whole_address(receiver: Receiver, ask: Ask) -> None:
    notify.notify(ask(receiver.url()), ())

    [(path, headers, body)] = receiver.posted
    assert path == "/hooks/sesame?token=open"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert body == {
        "specversion": "1.0",
        "id": "0b5c7f19",
        "source": "/apis/penstock.dev/v1alpha1/namespaces/team/pipelines/churn",
        "type": "dev.penstock.ModelServed",
        "subject": "churn-1-forest",
        "time": "2026-03-01T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "namespace": "team",
            "pipeline": "churn",
            "run": "churn-1",
            "model": "churn-1-forest",
            "reason": "Improved",
        },
    }


def test_for_slack_it_is_a_sentence_in_which_no_name_is_taken_for_a_link(receiver: Receiver, ask: Ask) -> None:
    notify.notify(ask(receiver.url(), "Slack"), ())

    [(_, headers, body)] = receiver.posted
    assert headers["Content-Type"] == "application/json"
    assert body == {"text": "The Model churn-1-forest is served by the Pipeline churn &amp; &lt;others&gt;."}


def test_a_user_in_the_address_becomes_a_header(receiver: Receiver, ask: Ask) -> None:
    notify.notify(ask(f"http://ada:love%20lace@127.0.0.1:{receiver.port}/"), ())

    assert receiver.posted[0][1]["Authorization"] == "Basic YWRhOmxvdmUgbGFjZQ=="


# --- what is tried again ----------------------------------------------------------------------------------------------


def test_what_may_pass_is_tried_again_later_and_later_with_the_same_id(receiver: Receiver, ask: Ask) -> None:
    receiver.statuses, slept = [500, 503, 429, 200], list[float]()

    notify.notify(ask(receiver.url()), (1, 2, 4, 8), slept.append)

    assert slept == [1, 2, 4]
    assert {body["id"] for _, _, body in receiver.posted} == {"0b5c7f19"}
    assert len(receiver.posted) == 4


def test_it_ends_after_as_many_tries_as_there_are_so_that_another_pod_may_come(receiver: Receiver, ask: Ask) -> None:
    receiver.statuses = [500]

    with pytest.raises(Unavailable, match=r"^127\.0\.0\.1 answers with the status 500\.$"):
        notify.notify(ask(receiver.url()), (0, 0), lambda _: None)

    assert len(receiver.posted) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_what_is_refused_is_not_asked_again(status: int, receiver: Receiver, ask: Ask) -> None:
    receiver.statuses = [status]

    with pytest.raises(Refused, match=f"refuses the event with the status {status}"):
        notify.notify(ask(receiver.url()), (0,), lambda _: None)

    assert len(receiver.posted) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_nowhere(status: int, receiver: Receiver, ask: Ask) -> None:
    receiver.statuses = [status]

    with pytest.raises(Refused, match="redirects elsewhere"):
        notify.notify(ask(receiver.url()), (0,), lambda _: None)

    assert [path for path, _, _ in receiver.posted] == ["/hooks/sesame?token=open"]


def test_a_receiver_that_hangs_is_left_after_its_time(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", 0.05)
    late = pytest.raises(Unavailable, match=r"did not answer within 0\.05 s")
    with socket.create_server(("127.0.0.1", 0)) as silent, late:
        notify.notify(ask(f"http://127.0.0.1:{silent.getsockname()[1]}/"), ())


def test_a_receiver_that_is_not_there_may_come(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    with pytest.raises(Unavailable, match="cannot be asked: Connection refused"):
        notify.notify(ask(f"http://127.0.0.1:{port}/"), ())


def test_a_receiver_that_speaks_no_http_may_come_to(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            connection, _ = odd.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unavailable, match="cannot be asked: BadStatusLine"):
            notify.notify(ask(f"http://127.0.0.1:{odd.getsockname()[1]}/"), ())
        thread.join()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_a_certificate_of_nobody_is_not_trusted_until_its_authority_is_named(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "req -newkey rsa:2048 -nodes -x509 -keyout key.pem -out cert.pem -days 2 -subj /CN=hook"
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *words.split(), *name], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with listening(Receiver(), context) as receiver:
        request = ask(receiver.url().replace("http:", "https:"))
        with pytest.raises(Refused, match=r"The certificate of 127\.0\.0\.1 is not trusted: self-signed certificate"):
            notify.notify(request, (0,), lambda _: None)
        assert receiver.posted == []

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        notify.notify(request, ())
        assert len(receiver.posted) == 1


# --- what the Secret holds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example/x", "file:///etc/passwd", "ftp://hooks.example/x", "http://", "http://a b/", "http://[x/"],
)
def test_what_is_no_address_of_a_receiver_is_refused_without_a_word_of_it(url: str, ask: Ask) -> None:
    with pytest.raises(Refused) as refused:
        notify.notify(ask(url), (0,), lambda _: None)

    assert str(refused.value) == "key url in a Secret hook holds no address of http or https; put a whole URL there."


def test_a_secret_that_is_not_there_is_refused_by_its_name(ask: Ask) -> None:
    request = msgspec.structs.replace(ask("http://127.0.0.1/"), url_file="/nowhere/url")

    with pytest.raises(Refused, match=r"^There is no key url in a Secret hook in the namespace of the Pipeline; make"):
        notify.notify(request, ())


@pytest.mark.parametrize("status", [204, 302, 403, 500])
def test_neither_the_log_nor_the_message_of_the_pod_has_more_of_the_address_than_its_host(
    status: int,
    receiver: Receiver,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    receiver.statuses = [status]
    monkeypatch.setattr(notify, "PAUSES", ())
    message = tmp_path / "message"
    document = msgspec.json.encode(ask(receiver.url())).decode()

    code = notify.main([document, "--termination-message", str(message)])

    logging.getLogger().handlers.clear()
    printed = "".join(capfd.readouterr())
    said = printed + (message.read_text("utf-8") if message.exists() else "")
    assert code == {204: 0, 302: errors.REFUSED, 403: errors.REFUSED, 500: errors.UNAVAILABLE}[status]
    assert "127.0.0.1" in said
    assert not {"sesame", "token", "open"} & set(said.replace("/", " ").replace("?", " ").replace("=", " ").split())
    assert message.exists() == (code != 0)
