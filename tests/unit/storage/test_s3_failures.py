"""Whatever is wrong with a bucket is said in one sentence: what, where, and what to do; a secret is never in it."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from penstock_jobs.contract.errors import JobError, Refused, Unavailable
from penstock_jobs.contract.specification import Credentials, Location
from penstock_jobs.storage import KeyNotFound, Store, open_store
from penstock_jobs.storage.s3 import open_bucket
from penstock_jobs.storage.s3_client import S3Timeouts
from s3_proxy import Answer, Headers, run_gateway
from s3_server import S3Server, free_port, write_secret

pytestmark = pytest.mark.s3
IMPATIENT = S3Timeouts(connect=0.3, read=0.3, attempts=1)

USES: list[Callable[[Store], object]] = [
    lambda store: store.read("a"),
    lambda store: store.write("a", b""),
    lambda store: store.write_if_absent("a", b""),
    lambda store: store.exists("a"),
    lambda store: store.keys(),
    lambda store: store.delete("a"),
    lambda store: store.download("a", Path("/nonexistent/copy")),
    lambda store: store.upload(Path(__file__), "a"),
]


def sentences(store: Store, kind: type[JobError], uses: list[Callable[[Store], object]] = USES) -> Iterator[str]:
    for use in uses:
        with pytest.raises(kind) as failure:
            use(store)
        assert not isinstance(failure.value, KeyNotFound)
        assert str(failure.value).endswith(".")
        assert "\n" not in str(failure.value)
        yield str(failure.value)


def test_a_bucket_that_is_not_there_is_named_whatever_is_asked_of_it(s3_server: S3Server, tmp_path: Path) -> None:
    store = open_store(s3_server.location("x", bucket="no-such-bucket"))
    uses = [*USES[:6], lambda store: store.download("a", tmp_path / "copy"), USES[7]]
    for said in sentences(store, Refused, uses):
        assert said.startswith(f"There is no bucket no-such-bucket at {s3_server.endpoint}")


def test_an_unknown_access_key_is_said_with_where_it_came_from(s3_server: S3Server, tmp_path: Path) -> None:
    secret = write_secret(tmp_path / "secret", "nobody", "some secret")
    store = open_store(s3_server.location("x", secret=secret))
    for said in sentences(store, Refused, [*USES[:5], USES[6]]):
        assert "does not know the access key" in said
        assert f"correct the credentials in {secret}" in said
        assert "some secret" not in said


def test_a_wrong_secret_is_said_and_not_shown(s3_server: S3Server, tmp_path: Path) -> None:
    secret = write_secret(tmp_path / "secret", s3_server.access_key, "some secret")
    for said in sentences(open_store(s3_server.location("x", secret=secret)), Refused, [*USES[:5], USES[6]]):
        assert "secret access key is wrong" in said
        assert "some secret" not in said


@pytest.fixture
def reader(s3_server: S3Server, tmp_path: Path) -> Location:
    """A user who may read one prefix, and nothing else."""
    name, prefix = f"reader-{uuid4().hex[:8]}", f"readable-{uuid4().hex[:8]}"
    s3_server.add_user(name, "its secret")
    root = s3_server.client()
    root.put_object(Bucket="lake", Key=f"{prefix}/a", Body=b"1")
    allowed = [("s3:GetObject", f"arn:aws:s3:::lake/{prefix}/*"), ("s3:ListBucket", "arn:aws:s3:::lake")]
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": [name]}, "Action": action, "Resource": resource}
        for action, resource in allowed
    ]
    root.put_bucket_policy(Bucket="lake", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return s3_server.location(prefix, bucket="lake", secret=write_secret(tmp_path / "reader", name, "its secret"))


def test_who_may_only_read_reads_and_is_refused_to_write(reader: Location) -> None:
    store = open_store(reader)
    assert store.read("a") == b"1"
    assert store.keys() == ["a"]
    assert store.exists("a")
    for said in sentences(store, Refused, [USES[1], USES[2], USES[5], USES[7]]):
        assert "does not allow s3://lake/" in said
        assert "the rights on the bucket" in said


def test_an_endpoint_that_nobody_listens_on_may_answer_later(s3_server: S3Server) -> None:
    location = msgspec.structs.replace(s3_server.location("x"), endpoint=f"http://127.0.0.1:{free_port()}")
    uses = [*USES[:6], USES[7]]
    for said in sentences(open_bucket(location, IMPATIENT), Unavailable, uses):
        assert said.startswith(f"{location.endpoint} does not answer")


def test_an_endpoint_that_accepts_and_says_nothing_is_not_waited_for_without_end(s3_server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = msgspec.structs.replace(
            s3_server.location("x"), endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"
        )
        for said in sentences(open_bucket(location, IMPATIENT), Unavailable, USES[:2]):
            assert "does not answer" in said


def test_an_endpoint_whose_name_is_unknown_may_be_known_later(s3_server: S3Server) -> None:
    location = msgspec.structs.replace(s3_server.location("x"), endpoint="http://no-such-host.invalid:9000")
    [said] = sentences(open_bucket(location, IMPATIENT), Unavailable, [USES[0]])
    assert said.startswith("http://no-such-host.invalid:9000 does not answer")


def test_an_endpoint_that_speaks_no_tls_is_said(s3_server: S3Server) -> None:
    location = msgspec.structs.replace(
        s3_server.location("x"), endpoint=s3_server.endpoint.replace("http://", "https://")
    )
    [said] = sentences(open_bucket(location, IMPATIENT), Unavailable, [USES[0]])
    assert location.endpoint is not None
    assert location.endpoint in said


@pytest.mark.parametrize("endpoint", ["s3.data", "127.0.0.1:9000", "http://", "http://a b"])
def test_an_endpoint_that_is_no_address_is_refused_at_once(s3_server: S3Server, endpoint: str) -> None:
    location = msgspec.structs.replace(s3_server.location("x"), endpoint=endpoint)
    with pytest.raises(Refused, match="is not an address; write http://"):
        open_store(location)


@pytest.mark.parametrize("uri", ["s3://", "s3:///prefix"])
def test_an_address_without_a_bucket_is_refused(uri: str) -> None:
    with pytest.raises(Refused, match="names no bucket"):
        open_store(Location(uri=uri))


@pytest.mark.parametrize("uri", ["s3://A_b!/x", "s3://a b/x"])
def test_a_name_that_no_bucket_can_have_is_refused(s3_server: S3Server, uri: str) -> None:
    location = msgspec.structs.replace(s3_server.location("x"), uri=uri)
    with pytest.raises(Refused, match=r"cannot be a bucket's name|There is no bucket"):
        open_store(location).read("a")


def answering(status: int, code: str) -> Callable[[str, str, Headers], Answer | None]:
    body = f"<Error><Code>{code}</Code><Message>said the server</Message></Error>".encode()

    def fault(method: str, path: str, headers: Headers) -> Answer | None:
        return None if method == "HEAD" else (status, {"content-type": "application/xml"}, body)

    return fault


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (403, "ExpiredToken", Refused, "session token has expired: renew the credentials in"),
        (403, "RequestTimeTooSkewed", Refused, "clock of this machine is too far"),
        (301, "PermanentRedirect", Refused, "another region than the one asked for; set `region`"),
        (507, "XMinioStorageFull", Unavailable, "no room left in the bucket ml-team"),
        (400, "QuotaExceeded", Unavailable, "no room left in the bucket ml-team"),
        (500, "InternalError", Unavailable, "InternalError: said the server"),
        (503, "SlowDown", Unavailable, "SlowDown: said the server"),
        (429, "TooManyRequests", Unavailable, "TooManyRequests: said the server"),
        (400, "InvalidArgument", Refused, "InvalidArgument: said the server"),
    ],
)
def test_each_answer_of_a_server_has_its_sentence(
    s3_server: S3Server, status: int, code: str, kind: type[JobError], said: str
) -> None:
    with run_gateway(s3_server, answering(status, code)) as gateway:
        store = open_bucket(gateway.location("x"), IMPATIENT)
        for sentence in sentences(store, kind, [USES[0], USES[1]]):
            assert said in sentence


def test_a_server_that_is_busy_for_a_moment_is_asked_again(s3_server: S3Server) -> None:
    busy = [503, 500]

    def fault(method: str, path: str, headers: Headers) -> Answer | None:
        return (busy.pop(), {}, b"") if busy else None

    with run_gateway(s3_server, fault) as gateway:
        store = open_bucket(gateway.location(f"tests/{uuid4().hex}"), S3Timeouts(connect=2, read=5, attempts=3))
        store.write("a", b"1")
        assert store.read("a") == b"1"


def test_keys_that_are_limited_to_a_prefix_need_not_be_allowed_to_ask_for_the_bucket(s3_server: S3Server) -> None:
    def bucket_is_forbidden(method: str, path: str, headers: Headers) -> Answer | None:
        return (403, {}, b"") if method == "HEAD" and path.partition("?")[0].strip("/") == "ml-team" else None

    with run_gateway(s3_server, bucket_is_forbidden) as gateway:
        store = open_bucket(gateway.location(f"tests/{uuid4().hex}"), S3Timeouts(attempts=1))
        assert not store.exists("a")


def test_an_upload_that_fails_halfway_leaves_nothing(s3_server: S3Server, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(40 << 20))

    def second_part_is_refused(method: str, path: str, headers: Headers) -> Answer | None:
        return answering(403, "AccessDenied")(method, path, headers) if "partNumber=2" in path else None

    with run_gateway(s3_server, second_part_is_refused) as gateway:
        store = open_bucket(gateway.location(f"tests/{uuid4().hex}"), S3Timeouts(attempts=1))
        with pytest.raises(Refused, match="does not allow"):
            store.upload(large, "large")
        assert store.keys() == []
        assert s3_server.client().list_multipart_uploads(Bucket="ml-team").get("Uploads", []) == []


def test_a_download_that_breaks_off_leaves_no_file(s3_server: S3Server, tmp_path: Path) -> None:
    store = open_store(s3_server.location(f"tests/{uuid4().hex}"))
    store.write("a", bytes(1 << 20))

    def broken(method: str, path: str, headers: Headers) -> Answer | None:
        return (500, {}, b"") if method == "GET" else None

    with run_gateway(s3_server, broken) as gateway:
        location = msgspec.structs.replace(gateway.location("x"), uri=store.uri)
        with pytest.raises(Unavailable):
            open_bucket(location, IMPATIENT).download("a", tmp_path / "folder" / "copy")
    assert list((tmp_path / "folder").iterdir()) == []


def test_without_any_credentials_it_says_so(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = open_store(msgspec.structs.replace(s3_server.location("x"), credentials=Credentials()))
    for said in sentences(store, Refused, [USES[0], lambda store: store.delta_options()]):
        assert "credentials for" in said


def test_the_credentials_of_the_machine_serve_where_none_are_named(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    location = msgspec.structs.replace(s3_server.location(f"tests/{uuid4().hex}"), credentials=Credentials())
    open_store(location).write("a", b"1")
    assert open_store(location).read("a") == b"1"
