"""A run that comes back as another object finds in storage what it came to, and does nothing of it again."""

from pathlib import Path

import msgspec
import pytest

from penstock_jobs.begun_before import find_earlier_run
from penstock_jobs.cleaning import clean
from penstock_jobs.contract.document import encode
from penstock_jobs.contract.result import EarlierRun, SourceResult
from penstock_jobs.contract.specification import CleaningJob, Location, OwnedFolder, Run
from penstock_jobs.storage import open_store
from penstock_jobs.taking import NameTaken, claim_run_folder
from unit.decide_run.examples_of_runs import dataset_result, outcome_of_testing, training_result

IDENTITY = "5e" * 32


class Storage:
    """The folder of the runs of a Pipeline, and jobs that begin in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def location(self, name: str) -> Location:
        return Location(uri=(self.folder / "runs" / name).as_uri())

    def begin(self, uid: str, name: str = "test", identity: str | None = IDENTITY) -> EarlierRun | None:
        """Do what a job does at its start: return the run of before, or claim the folder."""
        run = Run(uid=uid, execution_name=name, pipeline="churn", pipeline_uid="1e", identity=identity)
        earlier = find_earlier_run(self.location(name), run)
        if earlier is None:
            snapshot = self.folder / "snapshot.yaml"
            snapshot.write_text(f"metadata: {{name: churn-1, uid: {uid}}}\nresolved: {{identity: {identity}}}\n")
            claim_run_folder(open_store(self.location(name)), run, snapshot)
        return earlier

    def write(self, key: str, result: msgspec.Struct, name: str = "test") -> None:
        open_store(self.location(name)).write(key, encode(result))


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


def test_a_new_run_and_one_whose_pod_is_started_again_go_on(storage: Storage) -> None:
    assert storage.begin("0f3c") is None
    storage.write("results/dataset.json", dataset_result())
    assert storage.begin("0f3c") is None


def test_another_object_of_the_same_name_that_asks_for_the_same_is_told_all_results(storage: Storage) -> None:
    storage.begin("0f3c")
    tested = outcome_of_testing(("churn-0f3c-0",), None)
    source = SourceResult(commit="c" * 40, archive="source.tar", digest=f"sha256:{'1' * 64}", files=3)
    storage.write("results/source.json", source)
    storage.write("results/dataset.json", dataset_result())
    storage.write("results/training-0.json", training_result(0))
    storage.write("results/training-1.json", training_result(1))
    storage.write("results/testing.json", tested)
    storage.write("testing-again/results/testing.json", tested)

    found = storage.begin("77aa")

    assert found is not None
    assert (found.execution_name, found.storage) == ("test", storage.location("test").uri)
    parts = [each.part for each in found.results]
    assert parts == ["dataset", "source", "testing", "training", "training", "testing-again"]
    assert found.results[0].result == dataset_result()
    assert all(each.time.endswith("Z") for each in found.results)


def test_it_is_found_under_whichever_name_it_had(storage: Storage) -> None:
    storage.begin("9b01", "test", "another")
    with pytest.raises(NameTaken):
        storage.begin("0f3c", "test")
    storage.begin("0f3c", "test_2")

    for name in ("test", "test_2", "test_3"):
        found = storage.begin("77aa", name)
        assert found is not None
        assert found.execution_name == "test_2"


def test_one_that_asks_for_something_else_is_another_run(storage: Storage) -> None:
    storage.begin("0f3c")
    with pytest.raises(NameTaken):
        storage.begin("77aa", "test", "another")


def test_a_run_whose_files_were_deleted_has_never_been(storage: Storage) -> None:
    storage.begin("0f3c")
    open_store(storage.location("test")).delete("snapshot.yaml")
    assert storage.begin("77aa") is None
    assert storage.begin("88bb") is not None


def test_the_note_of_a_run_goes_with_its_files(storage: Storage) -> None:
    storage.begin("0f3c")
    storage.begin("9b01", "test_2", "another")
    runs = open_store(Location(uri=(storage.folder / "runs").as_uri()))
    assert f".begun/{IDENTITY}.json" in runs.keys("")

    clean(CleaningJob(folders=(OwnedFolder(storage.location("test"), "snapshot.yaml", uid="0f3c"),)))

    assert runs.keys() == [".begun/another.json", "test_2/snapshot.yaml"]


def test_without_an_identity_nobody_looks_for_a_run_of_before(storage: Storage) -> None:
    storage.begin("0f3c", identity=None)
    with pytest.raises(NameTaken):
        storage.begin("77aa", identity=None)
