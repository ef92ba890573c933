"""A look at the files of an input: what is new counts once it has settled, in a bucket as in a folder."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from penstock_jobs import looking
from penstock_jobs.contract import document, errors
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import LookResult
from penstock_jobs.contract.specification import InputSpec, Location, LookJob
from penstock_jobs.contract.termination_message import LIMIT, TerminationMessage
from penstock_jobs.job_process import main
from penstock_jobs.look_memory import remember
from penstock_jobs.looking import look
from penstock_jobs.storage import Store, open_store
from s3_server import BUCKETS, S3Server

NOW = datetime(2026, 11, 30, 3, 5, 7, tzinfo=UTC)


class Input:
    """An input below a location, and the looks at it; `seen` is what was dealt with last."""

    def __init__(self, location: Location, pattern: str = "rows/*.csv", **declared: str) -> None:
        self.store: Store = open_store(location)
        place = msgspec.structs.replace(location, uri=f"{self.store.uri}/{pattern}")
        memory = msgspec.structs.replace(location, uri=f"{self.store.uri}/triggers/t1")
        self.memory = open_store(memory)
        spec = msgspec.convert({"name": "rows", "location": place, **declared}, InputSpec)
        self.job = LookJob(input=spec, memory=memory, begin=1)

    def look(self) -> LookResult:
        return look(self.job, NOW)

    def deal_with(self, found: LookResult) -> None:
        assert found.arrival is not None
        self.job = msgspec.structs.replace(self.job, dealt_with=found.arrival.id)


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        return Location(uri=tmp_path.as_uri())
    server: S3Server = request.getfixturevalue("s3_server")
    return server.location(f"tests/{uuid4().hex}")


def test_each_settled_version_is_announced_until_it_is_dealt_with(location: Location) -> None:
    rows = Input(location)
    rows.store.write("rows/old.csv", b"a")
    assert rows.look() == LookResult(files=1, first=True)

    rows.store.write("rows/new.csv", b"abc")
    rows.store.write("rows/other.txt", b"a")
    assert rows.look() == LookResult(files=2, unsettled=1)
    announced = rows.look()
    assert announced.arrival is not None
    assert (announced.arrival.count, announced.arrival.bytes) == (1, 3)
    assert announced.arrival.time == "2026-11-30T03:05:07Z"
    assert announced.arrival.names == ("new.csv",)
    assert rows.look() == announced

    rows.deal_with(announced)
    assert rows.look() == LookResult(files=2)
    rows.store.write("rows/new.csv", b"abcd")
    assert rows.look() == LookResult(files=2, unsettled=1)
    again = rows.look().arrival
    assert again is not None
    assert again.id != announced.arrival.id


def test_what_is_remembered_does_not_pile_up(tmp_path: Path) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    for number in range(6):
        rows.store.write(f"rows/{number}.csv", b"a")
        rows.look()
    assert len(rows.memory.keys()) == 2


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    rows.look()
    before = rows.memory.files()
    rows.look()
    assert rows.memory.files() == before


def test_of_two_looks_at_once_one_comes_first_and_the_other_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    rows.look()
    rows.store.write("rows/new.csv", b"a")
    rows.look()
    others: list[LookResult] = []

    def disturbed(*arguments: object) -> object:
        monkeypatch.setattr(looking, "remember", remember)
        others.append(rows.look())
        return remember(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "remember", disturbed)
    assert [rows.look()] == others
    assert others[0].arrival is not None


def test_of_a_delta_table_the_commits_of_its_log_arrive(tmp_path: Path) -> None:
    table = Input(Location(uri=tmp_path.as_uri()), "table", format="Delta")
    assert table.look().files == 0
    for key in ("_delta_log/00000000000000000000.json", "_delta_log/_last_checkpoint", "part-0.parquet"):
        table.store.write(f"table/{key}", b"{}")
    table.look()
    arrival = table.look().arrival
    assert arrival is not None
    assert arrival.names == ("table/_delta_log/00000000000000000000.json",)


def test_a_file_with_a_space_in_its_name_and_no_hidden_one_arrives(tmp_path: Path) -> None:
    store = open_store(Location(uri=tmp_path.as_uri()))
    for key in ("my rows/a b.csv", "my rows/.hidden.csv", "my rows/_done"):
        store.write(key, b"a")
    for pattern in ("my%20rows", "my%20rows/a%20b.csv", "my%20rows/*.csv"):
        assert Input(Location(uri=tmp_path.as_uri()), pattern).look().files == 1


def test_more_files_than_can_be_remembered_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    for number in range(3):
        rows.store.write(f"rows/{number}.csv", b"a")
    monkeypatch.setattr(looking, "MOST_FILES", 2)
    with pytest.raises(Refused, match="names 3 files, and a Trigger looks at 2 at most; name fewer"):
        rows.look()


def test_a_memory_that_cannot_be_read_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    content = b'{"format": "penstock.dev/look-memory/v2", "begin": 1}'
    rows.memory.write("look-7.json", content)
    with pytest.raises(Refused, match=r"its format is penstock\.dev/look-memory/v2"):
        rows.look()
    assert rows.memory.keys() == ["look-7.json"]
    assert rows.memory.read("look-7.json") == content


def test_the_entrypoint_tells_an_arrival_of_many_long_names_in_a_termination_message(tmp_path: Path) -> None:
    rows = Input(Location(uri=tmp_path.as_uri()))
    rows.look()
    for number in range(50):
        rows.store.write(f"rows/{'ü' * 90}{number:02}.csv", b"a")
    rows.look()
    specification, said = tmp_path / "specification.json", tmp_path / "message"
    specification.write_bytes(document.encode(rows.job))

    assert main([str(specification), "--termination-message", str(said)]) == errors.SUCCEEDED
    content = said.read_bytes()
    found = document.decode(content, TerminationMessage, "It").result
    assert len(content) <= LIMIT
    assert isinstance(found, LookResult)
    assert found.arrival is not None
    assert found.arrival.count == 50
    assert 0 < len(found.arrival.names) <= 10


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_said_in_a_sentence(s3_server: S3Server, tmp_path: Path) -> None:
    rows = Input(s3_server.location("tests"))
    nowhere = s3_server.location("rows/*.csv", bucket="nowhere")
    job = msgspec.structs.replace(rows.job, input=InputSpec(name="rows", location=nowhere))
    specification, said = tmp_path / "specification.json", tmp_path / "message"
    specification.write_bytes(document.encode(job))

    assert main([str(specification), "--termination-message", str(said)]) == errors.REFUSED
    assert json.loads(said.read_text())["result"]["message"].startswith("There is no bucket nowhere at http")
    assert "nowhere" not in BUCKETS
