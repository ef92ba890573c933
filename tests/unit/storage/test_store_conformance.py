"""What every store promises, over a folder and over a bucket alike."""

import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import KeyNotFound, Store, open_store
from s3_server import S3Server

KEYS = ["a", "b/c", "b/d/e", "b-c", "ä/ö ü", "b/cc", "claims/0001", "claims/0002", "x=1/y+z&%20.txt"]


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        return Location(uri=(tmp_path / "a root").as_uri())
    server: S3Server = request.getfixturevalue("s3_server")
    return server.location(f"tests/{uuid4().hex}")


@pytest.fixture
def store(location: Location) -> Store:
    return open_store(location)


def test_what_was_written_is_read_back(store: Store) -> None:
    for key in KEYS:
        store.write(key, key.encode())
    assert [store.read(key) for key in KEYS] == [key.encode() for key in KEYS]


def test_a_write_replaces_what_was_there(store: Store) -> None:
    store.write("a", b"before")
    store.write("a", b"")
    assert store.read("a") == b""


def test_a_write_if_absent_never_replaces_what_was_there(store: Store) -> None:
    assert store.write_if_absent("a", b"first") is True
    assert store.write_if_absent("a", b"second") is False
    assert store.read("a") == b"first"


def test_of_many_who_write_at_once_if_absent_exactly_one_does(store: Store) -> None:
    won: list[int] = []
    start = threading.Barrier(8)

    def claim(worker: int) -> None:
        start.wait()
        if store.write_if_absent("claims/7", str(worker).encode()):
            won.append(worker)

    threads = [threading.Thread(target=claim, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("claims/7") == str(won[0]).encode()


def test_keys_are_sorted_and_begin_with_the_prefix(store: Store) -> None:
    for key in KEYS:
        store.write(key, b"")
    assert store.keys() == sorted(KEYS)
    for prefix in ["", "b", "b/", "b/c", "claims/", "claims/000", "nothing", "nothing/", "ä"]:
        assert store.keys(prefix) == sorted(key for key in KEYS if key.startswith(prefix))


def test_keys_of_an_empty_store_are_none(store: Store) -> None:
    assert store.keys() == []
    assert store.keys("runs/") == []


def test_what_is_not_there_is_not_found(store: Store, tmp_path: Path) -> None:
    store.write("a", b"")
    assert not store.exists("absent")
    with pytest.raises(KeyNotFound, match="absent"):
        store.read("absent")
    with pytest.raises(KeyNotFound, match="absent"):
        store.download("absent", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_the_beginning_of_a_key_is_not_a_key(store: Store) -> None:
    store.write("b/c", b"")
    assert not store.exists("b")
    assert store.exists("b/c")


def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: Store) -> None:
    store.write("b/c", b"")
    store.delete("b/c")
    store.delete("b/c")
    assert not store.exists("b/c")
    assert store.write_if_absent("b/c", b"") is True


def test_a_large_file_goes_up_and_comes_down_whole(store: Store, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    with source.open("wb") as file:
        for part in range(40):
            file.write(bytes([part]) * (1 << 20))
    store.upload(source, "models/large.bin")
    store.download("models/large.bin", copy)
    assert copy.read_bytes() == source.read_bytes()
    assert store.keys() == ["models/large.bin"]


def test_uploading_a_file_that_is_not_there_is_refused_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="absent"):
        store.upload(tmp_path / "absent", "a")
    assert store.keys() == []


def test_a_child_is_a_store_of_its_own_below(store: Store) -> None:
    child = store.child("runs/one")
    child.write("results/training.json", b"1")
    assert store.read("runs/one/results/training.json") == b"1"
    assert child.keys() == ["results/training.json"]
    assert child.uri == f"{store.uri}/runs/one"
    assert child.child("results").read("training.json") == b"1"


def test_the_root_may_be_written_with_a_final_slash(store: Store, location: Location) -> None:
    store.write("a", b"1")
    assert open_store(
        Location(uri=location.uri + "/", endpoint=location.endpoint, credentials=location.credentials)
    ).read("a") == (b"1")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", "./a", "a\nb", "a" * 1025])
def test_a_key_that_leaves_the_root_or_is_no_name_is_refused(store: Store, key: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    uses: list[Callable[[], object]] = [
        lambda: store.read(key),
        lambda: store.write(key, b""),
        lambda: store.write_if_absent(key, b""),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.download(key, tmp_path / "copy"),
        lambda: store.upload(tmp_path / "file", key),
        lambda: store.local_path(key),
        lambda: store.child(key),
    ]
    for use in uses:
        with pytest.raises(Refused, match="is no key"):
            use()


def test_another_process_opens_the_same_store(store: Store) -> None:
    child = store.child("runs")
    child.write("a", b"1")
    assert pickle.loads(pickle.dumps(child)).read("a") == b"1"


def test_a_store_is_a_dictionary_whatever_is_done_to_it(location: Location) -> None:
    """Against the model of a dict: any writes, deletions and questions, in any order."""

    class Uses(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.store = open_store(location).child(uuid4().hex)
            self.model: dict[str, bytes] = {}

        @rule(key=st.sampled_from(KEYS), content=st.binary(max_size=20))
        def write(self, key: str, content: bytes) -> None:
            self.store.write(key, content)
            self.model[key] = content

        @rule(key=st.sampled_from(KEYS), content=st.binary(max_size=20))
        def write_if_absent(self, key: str, content: bytes) -> None:
            assert self.store.write_if_absent(key, content) == (key not in self.model)
            self.model.setdefault(key, content)

        @rule(key=st.sampled_from(KEYS))
        def delete(self, key: str) -> None:
            self.store.delete(key)
            self.model.pop(key, None)

        @invariant()
        def equal(self) -> None:
            assert {key: self.store.read(key) for key in self.store.keys()} == self.model  # noqa: SIM118
            assert all(self.store.exists(key) == (key in self.model) for key in KEYS)

    run_state_machine_as_test(Uses, settings=settings(max_examples=8, stateful_step_count=12, deadline=None))


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(name=NAMES.filter(lambda name: name not in {".", ".."}))
def test_any_name_is_a_key(store: Store, name: str) -> None:
    store.write(f"names/{name}", name.encode())
    assert store.read(f"names/{name}") == name.encode()
    assert f"names/{name}" in store.keys("names/")
