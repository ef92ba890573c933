"""Storage requests: what a person asks of a storage that only pods reach."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import model_making as making
from penstock_jobs import storage_request
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.specification import Location, Run
from penstock_jobs.contract.storage_requests import (
    AnswersCut,
    ListModels,
    MoveClaim,
    PreviousOwner,
    SavedModel,
    answer_lines,
    read_answers,
)
from penstock_jobs.dataset.claim import CLAIM, Claim, StorageClaimed, claim, move_claim
from penstock_jobs.storage import open_store

OLD = Run(uid="run", execution_name="r", pipeline="churn", pipeline_uid="old-uid")
NEW = Claim(pipeline="leavers", pipeline_uid="new-uid")


@pytest.fixture
def saved(tmp_path: Path) -> ModelReference:
    """A Model in the storage of a Pipeline, beside what else is there."""
    other = tmp_path / "storage" / "runs" / "first"
    other.mkdir(parents=True)
    (other / "report.html").write_text("<html>")
    return making.save(tmp_path / "storage" / "models", making.fit_model())


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[SavedModel]:
    document = msgspec.json.encode(ListModels(location=Location(uri=folder.as_uri()))).decode()
    assert storage_request.main([document]) == 0
    return list(read_answers(capsys.readouterr().out.splitlines(), SavedModel))


@pytest.mark.parametrize("place", ["storage", "storage/models", "storage/models/model", "."])
def test_a_model_is_found_from_its_folder_and_from_all_above_it(
    place: str, saved: ModelReference, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [found] = listed(tmp_path / place, capsys)

    assert (found.uri, found.digest, found.problem) == (saved.uri, saved.digest, None)
    assert found.manifest is not None
    assert found.manifest.name == saved.name
    assert found.manifest.samples == ()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"other"), "was changed: its digest is"),
        (lambda folder: (folder / "model.onnx").unlink(), "is missing, so the Model model is not whole"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "cannot be read"),
        (lambda folder: folder.rename(folder.with_name("other")), "the folder of a Model has its name"),
    ],
    ids=["changed", "missing", "no manifest", "moved"],
)
def test_a_model_that_is_not_what_was_saved_is_told_as_that(
    harm: object, sentence: str, saved: ModelReference, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(tmp_path / "storage" / "models" / "model")  # type: ignore[operator]

    [found] = listed(tmp_path / "storage", capsys)

    assert found.manifest is None
    assert sentence in (found.problem or "")


def test_a_refusal_is_the_termination_message(tmp_path: Path) -> None:
    document = json.dumps({"errand": "list-models", "location": {"uri": "ftp://nowhere"}})

    code = storage_request.main([document, "--termination-message", str(tmp_path / "message")])

    assert code == 2
    assert "ftp://nowhere" in (tmp_path / "message").read_text()


# --- answers in a log ---

TEXT = st.builds(lambda word, times: word * times, st.text(max_size=9), st.sampled_from([1, 500, 1500]))
CLAIMS = st.lists(st.builds(PreviousOwner, pipeline=TEXT, pipeline_uid=TEXT), max_size=4)


@given(CLAIMS, st.lists(st.sampled_from(["", "a line of a library", "penstock-answer"]), max_size=3))
def test_answers_are_read_as_they_were_said_whatever_else_is_in_the_log(
    claims: list[PreviousOwner], others: list[str]
) -> None:
    said = list(answer_lines(claims))

    assert max(len(line) for line in said) < 4000
    assert list(read_answers([*others, *said, *others], PreviousOwner)) == claims


@given(CLAIMS, st.data())
def test_a_log_that_was_cut_is_known_for_it(claims: list[PreviousOwner], data: st.DataObject) -> None:
    said = list(answer_lines(claims))
    without = data.draw(st.integers(0, len(said) - 1))

    with pytest.raises(AnswersCut):
        list(read_answers(said[:without] + said[without + 1 :], PreviousOwner))


# --- claims ---


def test_a_storage_is_given_to_a_pipeline_of_another_name_and_asking_again_changes_nothing(tmp_path: Path) -> None:
    store = open_store(Location(uri=tmp_path.as_uri()))
    claim(store, OLD)

    assert move_claim(store, "old-uid", NEW) == Claim(pipeline="churn", pipeline_uid="old-uid")
    assert move_claim(store, "old-uid", NEW) == NEW

    with pytest.raises(StorageClaimed):
        claim(store, OLD)
    claim(store, msgspec.structs.replace(OLD, pipeline="leavers", pipeline_uid="new-uid"))


def test_a_storage_of_a_third_pipeline_is_not_given_away(tmp_path: Path) -> None:
    store = open_store(Location(uri=tmp_path.as_uri()))
    claim(store, msgspec.structs.replace(OLD, pipeline="fraud", pipeline_uid="third"))

    with pytest.raises(StorageClaimed, match="belongs to the Pipeline 'fraud'"):
        move_claim(store, "old-uid", NEW)


def test_a_storage_that_nobody_claimed_stays_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = MoveClaim(
        location=Location(uri=tmp_path.as_uri()), old_uid="old-uid", pipeline="leavers", pipeline_uid="new-uid"
    )

    assert storage_request.main([msgspec.json.encode(asked).decode()]) == 0

    assert list(read_answers(capsys.readouterr().out.splitlines(), PreviousOwner)) == []
    assert not (tmp_path / CLAIM).exists()
