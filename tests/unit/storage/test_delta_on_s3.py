"""A Delta table in a bucket: `deltalake` gets there with the options of the store, and commits only what it may."""

from typing import Literal
from uuid import uuid4

import msgspec
import pytest
from arro3.core import Array, DataType, Table
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError

from penstock_jobs.contract.specification import Credentials
from penstock_jobs.storage import Store, open_store
from s3_proxy import Answer, Headers, run_gateway
from s3_server import S3Server, write_secret

pytestmark = pytest.mark.s3


@pytest.fixture
def store(s3_server: S3Server) -> Store:
    return open_store(s3_server.location(f"tests/{uuid4().hex}/a table"))


def write(store: Store, *points: int, mode: Literal["append", "overwrite"] = "append") -> None:
    table = Table.from_pydict({"point": Array(points, type=DataType.int64())})
    write_deltalake(store.uri, table, mode=mode, storage_options=store.delta_options())


def read(store: Store, version: int | None = None) -> list[int]:
    table = DeltaTable(store.uri, version=version, storage_options=store.delta_options())
    rows = QueryBuilder().register("rows", table).execute("SELECT point FROM rows ORDER BY point").read_all()
    return [int(point) for point in rows["point"].to_pylist()]


def test_a_table_is_written_appended_to_and_read_at_any_version(store: Store) -> None:
    write(store, 1, 2)
    write(store, 3)
    write(store, 9, mode="overwrite")
    assert [read(store, version) for version in range(3)] == [[1, 2], [1, 2, 3], [9]]
    assert read(store) == [9]


def test_the_store_sees_the_files_of_the_table(store: Store) -> None:
    write(store, 1)
    assert "_delta_log/00000000000000000000.json" in store.keys()  # noqa: SIM118 (not a dict)
    assert store.exists("_delta_log/00000000000000000000.json")


def test_a_log_entry_is_put_only_where_there_is_none(store: Store, s3_server: S3Server) -> None:
    puts: list[str | None] = []

    def watching(method: str, path: str, headers: Headers) -> Answer | None:
        if method == "PUT" and "/_delta_log/" in path:
            puts.append(headers.get("if-none-match"))
        return None

    with run_gateway(s3_server, watching) as gateway:
        behind = open_store(msgspec.structs.replace(gateway.location("x"), uri=store.uri))
        write(behind, 1)
        write(behind, 2)
    assert puts
    assert set(puts) == {"*"}


def test_of_two_commits_on_one_version_one_is_refused(store: Store) -> None:
    write(store, 1)
    tables = [DeltaTable(store.uri, storage_options=store.delta_options()) for _ in range(2)]
    tables[0].delete("point = 1")
    with pytest.raises(CommitFailedError):
        tables[1].delete("point = 1")
    assert read(store) == []


def test_a_session_token_goes_along(
    s3_server: S3Server, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tokens: set[str | None] = set()

    def watching(method: str, path: str, headers: Headers) -> Answer | None:
        tokens.add(headers.get("x-amz-security-token"))
        return None

    folder = tmp_path_factory.mktemp("secret")
    secret = write_secret(folder, s3_server.access_key, s3_server.secret_key, "the token")
    with run_gateway(s3_server, watching) as gateway:
        behind = open_store(msgspec.structs.replace(gateway.location("x", secret=secret), uri=store.uri))
        write(behind, 1)
        assert behind.keys()
    assert tokens == {"the token"}


def test_a_token_of_the_machine_does_not_go_along_with_keys_of_a_secret(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: set[str | None] = set()

    def watching(method: str, path: str, headers: Headers) -> Answer | None:
        tokens.add(headers.get("x-amz-security-token"))
        return None

    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the machine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the machine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the machine")
    with run_gateway(s3_server, watching) as gateway:
        behind = open_store(msgspec.structs.replace(gateway.location("x"), uri=store.uri))
        write(behind, 1)
        assert behind.keys()
    assert tokens <= {None, ""}


def test_credentials_of_the_environment_serve_where_none_are_named(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key)
    own = open_store(msgspec.structs.replace(s3_server.location("x"), uri=store.uri, credentials=Credentials()))
    write(own, 1)
    assert read(own) == [1]
