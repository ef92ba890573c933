"""`python -m penstock_jobs.notify DOCUMENT`: post an event to the URL that a file holds, again and again if need be.

The document is JSON, and holds no secret. The URL is one: neither the log nor the termination message has more of it
than its host. Certificates are verified, by the authorities of SSL_CERT_FILE where that is set; a redirect is not
followed, since it would take the event to where nobody has asked for it.
"""

import argparse
import base64
import http.client
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from penstock_jobs import logs
from penstock_jobs.contract import errors
from penstock_jobs.contract.document import decode
from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.contract.notification import NotificationRequest, OutboundEvent
from penstock_jobs.ending import end_on_sigterm

TIMEOUT = 10.0  # seconds that a receiver may take to say anything
PAUSES = (1, 2, 4, 8, 16, 32, 60, 60, 60)  # seconds between the tries of one pod; its Job makes a few pods
MAY_PASS = (408, 425, 429)  # and all from 500 on
LONGEST = 500  # characters of a failure


@dataclass(frozen=True)
class Receiver:
    """Where an event is posted: the address without what it holds of a user, and the headers that has become."""

    address: str
    host: str
    headers: dict[str, str]


def main(arguments: list[str] | None = None) -> int:
    """Post the event; return the exit code."""
    options = _build_parser().parse_args(arguments)
    logs.set_up("INFO", "text")
    try:
        request = decode(options.document, NotificationRequest, "The document")
        notify(request, PAUSES)
    except JobError as error:
        logs.log.error("%s", error)
        if options.termination_message is not None:
            options.termination_message.write_text(str(error)[:LONGEST], "utf-8")
        return error.exit_code
    return errors.SUCCEEDED


def notify(request: NotificationRequest, pauses: Iterable[float], sleep: Callable[[float], None] = time.sleep) -> None:
    """Post the event until the receiver has taken it.

    Raises:
        Refused: it will not take it, however often it is asked.
        Unavailable: it did not take it as often as it was asked.
    """
    receiver = read_receiver(request)
    waiting = iter(pauses)
    while True:
        try:
            post(receiver, request)
        except Unavailable as error:
            pause = next(waiting, None)
            if pause is None:
                raise
            logs.log.warning("%s It is tried again in %g s.", error, pause)
            sleep(pause)
        else:
            logs.log.info("%s has taken the event %s.", receiver.host, request.event.id)
            return


def read_receiver(request: NotificationRequest) -> Receiver:
    """Return where the event is posted, as the file says it now."""
    try:
        text = Path(request.url_file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"There is no {request.secret} in the namespace of the Pipeline; make it.") from error
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = SplitResult("", "", "", "", ""), None, None
    if parts.scheme not in ("http", "https") or not host or not text.isascii() or any(each <= " " for each in text):
        raise Refused(f"{request.secret} holds no address of http or https; put a whole URL there.")
    netloc = f"[{host}]" if ":" in host else host
    address = urlunsplit((parts.scheme, f"{netloc}:{port}" if port else netloc, parts.path or "/", parts.query, ""))
    return Receiver(address, host, _authorization(parts))


def post(receiver: Receiver, request: NotificationRequest) -> None:
    """Post the event once."""
    content_type, body = body_of(request)
    headers = {"Content-Type": content_type, "User-Agent": "penstock", **receiver.headers}
    asked = urllib.request.Request(receiver.address, msgspec.json.encode(body), headers, method="POST")  # noqa: S310
    try:
        with _opener().open(asked, timeout=TIMEOUT):
            return  # nothing that it says beside its status is read
    except urllib.error.HTTPError as error:
        error.close()
        raise _answer(receiver.host, error.code) from None
    except (OSError, http.client.HTTPException) as error:
        # No text of these: some quote the path of the address, which is often the secret of it.
        raise _failure(receiver.host, getattr(error, "reason", error)) from None


def body_of(request: NotificationRequest) -> tuple[str, dict[str, Any]]:
    """Return the content type of what is posted, and what it is."""
    event = request.event
    if request.style == "Slack":
        return "application/json", {"text": _escape(event.sentence)}
    return "application/cloudevents+json; charset=utf-8", cloud_event(event)


def cloud_event(event: OutboundEvent) -> dict[str, Any]:
    """Return the event as CloudEvents 1.0 has it, structured."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": f"dev.penstock.{event.event}",
        "subject": event.subject,
        "time": event.time,
        "datacontenttype": "application/json",
        "data": event.data,
    }


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """Follow none: its status is the answer."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context()))


def _authorization(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    said = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"}


def _answer(host: str, status: int) -> JobError:
    if status in MAY_PASS or status >= 500:
        return Unavailable(f"{host} answers with the status {status}.")
    if 300 <= status < 400:
        return Refused(f"{host} redirects elsewhere ({status}), which is not followed; put that address in the Secret.")
    return Refused(f"{host} refuses the event with the status {status}.")


def _failure(host: str, error: object) -> JobError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(f"The certificate of {host} is not trusted: {error.verify_message}.")
    if isinstance(error, TimeoutError):
        return Unavailable(f"{host} did not answer within {TIMEOUT:g} s.")
    said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Unavailable(f"{host} cannot be asked: {said}.")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_jobs.notify", description="Post an event.")
    parser.add_argument("document", help="what to post, and which file holds the URL")
    parser.add_argument("--termination-message", type=Path, help="where a failure goes")
    return parser


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main())
