"""A gateway before the S3 server of the tests, which misbehaves as some real servers do.

It takes every request, changes it, signs it again and passes it on, so that the behaviour is that of a real server but
for the one fault.
"""

import dataclasses
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from s3_server import S3Server

Headers = dict[str, str]
Answer = tuple[int, Headers, bytes]
Fault = Callable[[str, str, Headers], Answer | None]
"""Called with method, path and headers (which it may change) of each request; what it returns is answered instead."""

Loses = Callable[[str, str, Headers], bool]
"""Tells for each request whether the answer to it never arrives."""

_OWN = {"host", "connection", "authorization", "x-amz-date", "x-amz-security-token", "expect", "content-length"}


@contextmanager
def run_gateway(server: S3Server, fault: Fault, loses: Loses | None = None) -> Iterator[S3Server]:
    """Run a gateway with this fault before the server; answers to requests that `loses` picks never arrive."""
    target = urlsplit(server.endpoint).netloc

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            lost = loses is not None and loses(self.command, self.path, headers)
            status, answer, content = fault(self.command, self.path, headers) or self.pass_on(headers, body)
            if lost:
                self.close_connection = True
                return
            self.send_response(status)
            length = answer.get("content-length", "0") if self.command == "HEAD" else str(len(content))
            for name, value in {**answer, "content-length": length}.items():
                if name not in {"transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def pass_on(self, headers: Headers, body: bytes) -> Answer:
            kept = {name: value for name, value in headers.items() if name not in _OWN}
            path, mark, query = self.path.partition("?")
            path += mark + query.replace("+", "%20")  # clients write a space in either way, and only one is signed
            request = AWSRequest(self.command, server.endpoint + path, data=body, headers=kept)
            S3SigV4Auth(Credentials(server.access_key, server.secret_key), "s3", "us-east-1").add_auth(request)
            connection = http.client.HTTPConnection(target, timeout=30)
            try:
                connection.request(self.command, path, body, dict(request.headers.items()))
                response = connection.getresponse()
                return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            finally:
                connection.close()

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_request  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing: pytest shows what matters."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        gateway.daemon_threads = True
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield dataclasses.replace(server, endpoint=f"http://127.0.0.1:{gateway.server_port}")
        finally:
            gateway.shutdown()
            thread.join()
