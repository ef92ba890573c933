"""A real S3 server for the tests: versitygw over a folder, on the loopback interface, built from a pinned Go module."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from penstock_jobs.contract.specification import Credentials, Location
from testcluster import programs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKETS = ("ml-team", "lake")


@dataclass(frozen=True)
class S3Server:
    """A server that runs, and the credentials of its root, as the files of a mounted Secret in `secret`."""

    endpoint: str
    access_key: str
    secret_key: str
    secret: Path
    program: Path

    def location(self, prefix: str, bucket: str = BUCKETS[0], secret: Path | None = None) -> Location:
        credentials = Credentials(folder=str(secret or self.secret))
        return Location(uri=f"s3://{bucket}/{prefix}".rstrip("/"), endpoint=self.endpoint, credentials=credentials)

    def client(self) -> "S3Client":
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def add_user(self, access_key: str, secret_key: str) -> None:
        """Make a user who may do nothing until a bucket's policy says otherwise."""
        login = ["--access", self.access_key, "--secret", self.secret_key, "--endpoint-url", self.endpoint]
        user = ["--access", access_key, "--secret", secret_key, "--role", "user"]
        subprocess.run([self.program, "admin", *login, "create-user", *user], check=True, capture_output=True)


def write_secret(folder: Path, access_key: str, secret_key: str, session_token: str | None = None) -> Path:
    """Write what Kubernetes would mount of a Secret: one file a key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "accessKeyId").write_text(access_key)
    (folder / "secretAccessKey").write_text(secret_key + "\n")
    if session_token is not None:
        (folder / "sessionToken").write_text(session_token)
    return folder


def why_no_server() -> str | None:
    """Return why the server cannot be built here, or None."""
    return None if shutil.which("go") else "Go, of which the S3 server of the tests is built, is not installed"


def build() -> Path:
    """Return the program, built once for each set of versions in go.mod and go.sum."""
    return programs.build("versitygw") / "versitygw"


@contextmanager
def run_server(folder: Path, certificate: Path | None = None) -> Iterator[S3Server]:
    """Run the server over this folder for as long as the context lasts, over TLS where there is a certificate.

    Its private key is beside it, with the ending `.key`.
    """
    program = build()
    port = free_port()
    files, users = folder / "files", folder / "users"
    for each in (files, users, *(files / bucket for bucket in BUCKETS)):
        each.mkdir(parents=True)
    server = S3Server(
        endpoint=f"http{'s' if certificate else ''}://127.0.0.1:{port}",
        access_key="root-of-the-tests",
        secret_key="a secret/with+odd=characters",
        secret=write_secret(folder / "secret", "root-of-the-tests", "a secret/with+odd=characters"),
        program=program,
    )
    options: list[str | Path] = ["--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive", "--iam-dir", users]
    if certificate:
        options += ["--cert", certificate, "--key", certificate.with_suffix(".key")]
    login = ["--access", server.access_key, "--secret", server.secret_key]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *options, *login, "posix", files], stdout=log, stderr=log)
        try:
            _wait_until_it_answers(process, port, folder / "log")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"The S3 server did not start:\n{log.read_text(errors='replace')}")
