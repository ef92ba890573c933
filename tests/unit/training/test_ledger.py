from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Unavailable
from penstock_jobs.contract.result import CandidateRow, ScoreResult
from penstock_jobs.storage.folder import FolderStore
from penstock_jobs.training.ledger import Ledger, read_candidates


def row(index: int, baseline: bool = False) -> CandidateRow:
    return CandidateRow(
        candidate=f"{index:024x}",
        index=index,
        algorithm="a",
        estimator="e",
        parameters={"depth": None},
        seed=index,
        scores=(ScoreResult(name="r2", value=index / 7),),
        baseline=baseline,
    )


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 3))
@settings(max_examples=25)
def test_what_was_written_is_read_once_and_in_order_however_often_it_was_started(
    tmp_path_factory: pytest.TempPathFactory, indexes: list[int], starts: int
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("run"))
    for _ in range(starts):
        ledger = Ledger(store, 0, 1)
        for index in indexes:
            if not ledger.is_done(row(index).candidate):
                ledger.write(row(index))
        ledger.close()
    assert read_candidates(store) == [row(index) for index in sorted(set(indexes))]


def test_a_finished_worker_leaves_one_file(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    ledger = Ledger(store, 3, 1)
    for index in range(300):
        ledger.write(row(index))
    ledger.close()
    assert len(store.keys("candidates/worker-3/")) == 1


def test_a_merge_cut_off_before_its_parts_were_removed_doubles_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    _write(store, [row(1)])
    first = store.keys("candidates/")[0]
    content = store.read(first)
    _write(store, [row(2)])
    store.write(first, content)
    assert [one.index for one in read_candidates(store)] == [1, 2]


def test_of_two_workers_only_one_gets_a_candidate(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    first, second = Ledger(store, 0, 2), Ledger(store, 1, 2)
    assert [(first.claim(name), second.claim(name)) for name in ("x", "y")] == [(True, False), (True, False)]
    assert (second.claim("z"), first.claim("z")) == (True, False)


def test_a_worker_started_again_resumes_its_own_claims(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert Ledger(store, 0, 2).claim("x")
    assert Ledger(store, 0, 2).claim("x")
    assert not Ledger(store, 1, 2).claim("x")


def test_the_rows_of_all_workers_are_one_table(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    _write(store, [row(2), row(0)], worker=0, workers=2)
    _write(store, [row(1), row(-1, baseline=True)], worker=1, workers=2)
    assert [one.index for one in read_candidates(store)] == [-1, 0, 1, 2]


def test_a_store_that_fails_ends_the_search(tmp_path: Path) -> None:
    class FullStore(FolderStore):
        def write(self, key: str, content: bytes) -> None:
            raise Unavailable("The disk is full.")

    ledger = Ledger(FullStore(tmp_path), 0, 1)
    ledger.write(row(1))
    with pytest.raises(Unavailable, match="full"):
        ledger.close()


def _write(store: FolderStore, rows: list[CandidateRow], worker: int = 0, workers: int = 1) -> None:
    ledger = Ledger(store, worker, workers)
    for one in rows:
        ledger.write(one)
    ledger.close()
