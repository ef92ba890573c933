"""A server whose certificate is by an authority of one's own: trusted where SSL_CERT_FILE names it, and only there."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from arro3.core import Array, DataType, Table
from deltalake import DeltaTable, write_deltalake

import s3_server as server_of_the_tests
from penstock_jobs.contract.errors import Unavailable
from penstock_jobs.storage.s3 import open_bucket
from penstock_jobs.storage.s3_client import S3Timeouts
from s3_server import S3Server

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority; beside it `server.pem` and `server.key`, which it vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE")
    for command in (
        "req -newkey rsa:2048 -nodes -x509 -keyout authority.key -out authority.pem -days 2 -subj /CN=authority",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server",
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -out server.pem -extfile extensions",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder / "authority.pem"


@pytest.fixture(scope="module")
def tls_server(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if reason := server_of_the_tests.why_no_server():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("tls")
    with server_of_the_tests.run_server(folder, authority.with_name("server.pem")) as server:
        yield server


def test_an_authority_that_is_named_is_trusted_by_all_who_reach_the_bucket(
    tls_server: S3Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    store = open_bucket(tls_server.location("table"))
    points = Table.from_pydict({"point": Array([1], type=DataType.int64())})
    write_deltalake(store.uri, points, storage_options=store.delta_options())
    assert DeltaTable(store.uri, storage_options=store.delta_options()).version() == 0
    assert store.keys("_delta_log/") == ["_delta_log/00000000000000000000.json"]


def test_an_authority_that_is_not_named_is_not_trusted(tls_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(Unavailable, match=r"is not trusted .* name a file with its authority's in SSL_CERT_FILE\."):
        open_bucket(tls_server.location("x"), S3Timeouts(attempts=1)).keys()
