"""From the bytes of a connection to requests: HTTP/1.1 as llhttp reads it, which is strict, and within the limits.

A request that could mean two things to two readers, as smuggled ones do, is refused, and its connection says nothing
more: no lengths of two kinds or twice, no encoding but `chunked`, one `Host`.
"""

import re
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote

import httptools

from penstock_jobs.serving.limits import ServerLimits
from penstock_jobs.serving.messages import HttpRequest
from penstock_jobs.serving.refusals import RefusedRequest, shorten

_NOTED = frozenset((b"host", b"content-length", b"transfer-encoding", b"content-encoding", b"expect", b"upgrade"))
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%\[\]:-]*")
_HEADER_EXTRA = 4  # bytes of a header beside its name and its value


class Receiver(Protocol):
    """Is given what a connection sends."""

    def begin_request(self) -> None:
        """Take note that a request begins."""

    def wants_body(self, request: HttpRequest) -> bool:
        """Return whether the body of a request is to be read, whose headers are complete."""

    def begin_body(self, request: HttpRequest, *, expects_word: bool) -> None:
        """Take note that a body comes next, of which its client may expect a word before it sends it."""

    def take_body(self, size: int) -> None:
        """Take note that so much more of a body is held; may raise `RefusedRequest`."""

    def end_request(self, request: HttpRequest) -> None:
        """Take a request that is complete."""


class RequestReader:
    """Reads the requests of one connection.

    Attributes:
        over: whether nothing more is read: a request was refused, or the last one that there may be was read.
    """

    def __init__(self, receiver: Receiver, limits: ServerLimits) -> None:
        self._receiver = receiver
        self._limits = limits
        self._parser: Any = httptools.HttpRequestParser(self)
        self.over = False
        self._refusal: RefusedRequest | None = None
        self._in_head = False
        self._head_fed = 0
        self._request: HttpRequest | None = None
        self._body: bytes | bytearray = b""
        self._remaining = 0  # bytes of a body with a length that are still to come
        self._wire = 0  # bytes of a body as it is sent, with the sizes of its chunks
        self._begin()

    @property
    def size(self) -> int:
        """How many bytes of a body are here that is not complete."""
        return len(self._body)

    def close(self) -> None:
        """Let go of what was read; what refers to itself would stay until the next collection of garbage."""
        self.over = True
        self._parser = None
        self._body = b""

    def read(self, data: bytes) -> None:
        """Read what has come.

        Raises:
            RefusedRequest: it is no request that is taken; nothing more is read then.
        """
        step = self._limits.header_bytes
        if len(data) <= step:
            self._feed(data)
            return
        # In steps, so that no more of a header is held than one may have, however much came at once.
        view, at = memoryview(data), 0
        while at < len(data) and not self.over:
            size = max(step, self._remaining)
            self._feed(view[at : at + size])
            at += size

    def _feed(self, data: bytes | memoryview) -> None:
        try:
            if self._by_hand:
                data = self._take_by_hand(data)
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Nothing but HTTP/1.1 is spoken here, and whoever asks for more goes on in it.
            rest = data[upgrade.args[0] :]
            if rest and not self.over:
                self._feed(rest)
            return
        except httptools.HttpParserError as error:
            if self._refusal is not None:
                raise self._refusal from None
            if self.over:
                return  # behind the last request
            if isinstance(error, httptools.HttpParserCallbackError):
                raise  # a fault of ours
            self.over = True
            raise _malformed(error) from error
        self._require_bounded(data)

    def _take_by_hand(self, data: bytes | memoryview) -> bytes | memoryview:
        """Take the body that the parser leaves out where a request asks for another protocol; return what follows."""
        part, rest = data[: self._remaining], data[self._remaining :]
        self.on_body(bytes(part))
        if not self._remaining:
            self._complete()
        return rest

    def _require_bounded(self, data: bytes | memoryview) -> None:
        """Refuse what the parser says nothing of: a header without an end, and sizes of chunks beyond their bytes."""
        if self.over:
            return
        if self._in_head:
            self._head_fed += len(data)
            if self._head_fed > 2 * self._limits.header_bytes:
                self._refuse_head()
        elif self._request is not None:
            self._wire += len(data)
            if self._wire > self._limits.body_bytes + 2 * self._limits.header_bytes:
                self._fail(too_large(self._limits))

    # --- what the parser calls ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begin()
        self._in_head = True
        self._receiver.begin_request()

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._url += part
        self._count(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or what stands behind a chunked body like one."""
        self._headers += 1
        self._count(len(name) + len(value) + _HEADER_EXTRA)
        if self._headers > self._limits.headers:
            self._fail(RefusedRequest(f"The request has more than {self._limits.headers} headers; send fewer.", 431))
        name = name.lower()
        if name in _NOTED and self._in_head:
            if name in self._noted:
                self._fail(RefusedRequest(f"The request has two headers {name.decode()}; send one."))
            self._noted[name] = value

    def on_headers_complete(self) -> None:
        """Take the headers, and refuse what need not have come so far."""
        self._in_head = False
        version = self._parser.get_http_version()
        noted = self._noted
        if version not in ("1.1", "1.0"):
            self._fail(RefusedRequest(f"HTTP/{version} is not spoken here; use HTTP/1.1.", 505))
        if b"host" in noted:
            if not _HOST.fullmatch(noted[b"host"]):
                self._fail(RefusedRequest("The header host names no host; send a name, or an address, and a port."))
        elif version == "1.1":
            self._fail(RefusedRequest("The request has no header host; send one."))
        length = int(noted.get(b"content-length", b"0"))
        if len(noted) > (b"host" in noted) + (b"content-length" in noted):
            self._check_noted(version)
        keep_alive = version == "1.1" and self._parser.should_keep_alive()
        request = self._request = HttpRequest(self._parser.get_method().decode(), _path(self._url), keep_alive)
        if not self._receiver.wants_body(request):
            if length or b"transfer-encoding" in noted or request.method == "CONNECT":
                request.keep_alive = False  # nobody reads that body, so nothing behind it is found
                self._complete()
                raise _StopError
            return
        if length > self._limits.body_bytes:
            self._fail(too_large(self._limits))
        self._remaining = length
        self._by_hand = bool(length) and self._parser.should_upgrade()
        self._receiver.begin_body(request, expects_word=b"expect" in noted and version == "1.1")

    def on_body(self, part: bytes) -> None:
        """Take a part of a body."""
        self._remaining = max(0, self._remaining - len(part))
        size = len(self._body) + len(part)
        if size > self._limits.body_bytes:
            self._fail(too_large(self._limits))
        try:
            self._receiver.take_body(len(part))
        except RefusedRequest as refusal:
            self._fail(refusal)
        if not self._body:
            self._body = part
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += part

    def on_message_complete(self) -> None:
        """Hand a request on."""
        if not self.over and not self._by_hand:
            self._complete()

    # ------------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._url = b""
        self._headers = 0
        self._head_size = 0
        self._head_fed = 0
        self._noted: dict[bytes, bytes] = {}
        self._request = None
        self._body = b""
        self._wire = 0
        self._remaining = 0
        self._by_hand = False

    def _complete(self) -> None:
        request = self._request
        assert request is not None
        request.body = bytes(self._body)
        self._begin()
        self.over = not request.keep_alive
        try:
            self._receiver.end_request(request)
        except RefusedRequest as refusal:
            self._fail(refusal)

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._limits.header_bytes:
            self._refuse_head()

    def _refuse_head(self) -> None:
        sentence = f"The line and headers of the request are larger than {self._limits.header_bytes} bytes; send less."
        self._fail(RefusedRequest(sentence, 431))

    def _check_noted(self, version: str) -> None:
        noted = self._noted
        encoding = noted.get(b"transfer-encoding")
        if encoding is not None:
            if version == "1.0" or b"content-length" in noted:
                self._fail(RefusedRequest("The request says twice how long its body is; send content-length alone."))
            if encoding.strip().lower() != b"chunked":
                self._fail(RefusedRequest("No transfer-encoding is read but chunked; send the body as it is.", 501))
        if noted.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            self._fail(RefusedRequest("No compressed body is read; send it as it is, without content-encoding.", 415))
        if noted.get(b"expect", b"100-continue").lower() != b"100-continue":
            self._fail(RefusedRequest("Nothing is known to expect but 100-continue; send the request without it.", 417))
        if encoding is not None and self._parser.should_upgrade():
            self._fail(RefusedRequest("HTTP/1.1 alone is spoken here; send the body without the header upgrade.", 501))

    def _fail(self, refusal: RefusedRequest) -> NoReturn:
        self.over = True
        self._refusal = self._refusal or refusal
        raise refusal


class _StopError(Exception):
    """Nothing more is parsed, though nothing is wrong."""


def too_large(limits: ServerLimits) -> RefusedRequest:
    """Return the refusal of a body beyond the limit."""
    return RefusedRequest(f"The body is larger than {limits.body_bytes} bytes; send fewer rows at once.", 413)


def _path(target: bytes) -> str:
    if not target.startswith(b"/"):
        try:  # the absolute form, as it is sent to proxies
            target = httptools.parse_url(target).path or b"/"
        except httptools.HttpParserInvalidURLError:
            return shorten(target.decode("latin-1"))
    path = target.partition(b"?")[0].decode("latin-1")
    return unquote(path) if "%" in path else path


def _malformed(error: Exception) -> RefusedRequest:
    reason = str(error).rstrip(".")
    return RefusedRequest(f"This is no request of HTTP/1.1: {reason[:1].lower()}{reason[1:]}.")
