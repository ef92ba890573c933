"""The folder of an execution name in the storage is one run's, and stays it."""

from pathlib import Path

import pytest

from penstock_jobs.contract.specification import Location, Run
from penstock_jobs.storage import Store, open_store
from penstock_jobs.taking import NameTaken, claim_run_folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(Location(uri=(tmp_path / "runs" / "test").as_uri()))


def run(uid: str) -> Run:
    return Run(uid=uid, execution_name="test", pipeline="churn", pipeline_uid="1e")


def snapshot(folder: Path, uid: str) -> Path:
    path = folder / f"{uid}.yaml"
    path.write_text(f"kind: PipelineRun\nmetadata: {{name: churn-1, uid: {uid}}}\n")
    return path


def test_the_first_run_has_it_and_has_it_again_when_it_is_started_again(store: Store, tmp_path: Path) -> None:
    claim_run_folder(store, run("0f3c"), snapshot(tmp_path, "0f3c"))
    claim_run_folder(store, run("0f3c"), snapshot(tmp_path, "0f3c"))

    assert b"0f3c" in store.read("snapshot.yaml")


def test_a_run_made_again_under_the_old_name_is_told_so(store: Store, tmp_path: Path) -> None:
    claim_run_folder(store, run("0f3c"), snapshot(tmp_path, "0f3c"))

    with pytest.raises(NameTaken, match="has the files of another run of the name test; give this one another"):
        claim_run_folder(store, run("77aa"), snapshot(tmp_path, "77aa"))
    assert b"77aa" not in store.read("snapshot.yaml")


def test_what_a_later_step_knows_more_joins_and_an_earlier_one_takes_nothing_away(store: Store, tmp_path: Path) -> None:
    early, late = snapshot(tmp_path, "0f3c"), tmp_path / "late.yaml"
    late.write_text(f"{early.read_text()}tables: [training]\n")

    for each in (early, late, early):
        claim_run_folder(store, run("0f3c"), each)

    assert store.read("snapshot.yaml") == late.read_bytes()
