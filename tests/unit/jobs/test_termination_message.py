"""What a pod's status says of a job: the result, in 4,096 bytes, and honest about what it lacks."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs import document
from penstock_jobs import result as results_of_jobs
from penstock_jobs.__main__ import main
from penstock_jobs.result import (
    CandidateScore,
    Column,
    DatasetResult,
    Failure,
    JobResult,
    LeakProof,
    ModelReference,
    ModelScores,
    Score,
    TableVersion,
    TrainingResult,
)
from penstock_jobs.termination_message import (
    LIMIT,
    TerminationMessage,
    result_in_log,
    termination_message,
    whole_result,
)

STORED = "s3://ml-team/churn/runs/test/results/job.json"
texts = st.text(max_size=60)
counts = st.integers(0, 200)


def table(classes: int = 2) -> TableVersion:
    return TableVersion(
        uri="s3://ml-team/churn/datasets/training",
        version=3,
        rows=4_000_000,
        digest="0f" * 32,
        classes={f"class {number}": number for number in range(classes)},
    )


def dataset(columns: int = 0, classes: int = 2, warnings: tuple[str, ...] = ()) -> DatasetResult:
    return DatasetResult(
        training=table(classes),
        validation=table(classes),
        testing=table(classes),
        columns=tuple(Column(name=f"measure {number}", type="Float") for number in range(columns)),
        task="Classification",
        epoch=1,
        generation=1,
        rows_read=1,
        duplicates=0,
        new=0,
        changed=0,
        vanished=0,
        retired=0,
        left_out=0,
        leak_proof=LeakProof(points_in_common=0, groups_in_common=0, compared_training=1, compared_testing=1),
        warnings=warnings,
    )


def training(models: int = 1, best: int = 1, warnings: tuple[str, ...] = ()) -> TrainingResult:
    references = (
        ModelReference(name=f"churn-{number}", uri=f"s3://ml-team/churn/models/{number}", digest="1e" * 32)
        for number in range(models)
    )
    scores = (CandidateScore(candidate=f"{number:016x}", algorithm="forest", score=0.5) for number in range(best))
    return TrainingResult(
        candidates="s3://ml-team/churn/runs/test/candidates",
        total=15_000,
        succeeded=15_000,
        failed=0,
        best=tuple(scores),
        models=tuple(references),
        warnings=warnings,
    )


def judged(models: int = 1, scores: int = 1, undefined: int = 0) -> results_of_jobs.TestingResult:
    scored = ModelScores(
        model="churn-1",
        points=1000,
        scores=tuple(Score(name=f"score {number}", value=0.5) for number in range(scores)),
        undefined={f"other {number}": "It needs two classes." for number in range(undefined)},
    )
    return results_of_jobs.TestingResult(
        testing_version=1, epoch=1, digest="2d" * 32, points=1000, models=(scored,) * models, report="report.html"
    )


warnings = st.lists(texts, max_size=80).map(tuple)
results: st.SearchStrategy[JobResult] = st.one_of(
    st.builds(dataset, counts, counts, warnings),
    st.builds(training, st.integers(0, 100), st.integers(0, 100), warnings),
    st.builds(judged, st.integers(0, 100), st.integers(0, 8), st.integers(0, 8)),
    st.builds(Failure, reason=st.just("Refused"), message=st.text(max_size=4000)),
)


@settings(deadline=None)
@given(results)
def test_it_always_fits_and_is_always_read_back(result: JobResult) -> None:
    message = termination_message(result, STORED)
    content = msgspec.json.encode(message)

    assert len(content) <= LIMIT
    assert document.decode(content, TerminationMessage, "the message") == message
    assert type(message.result) is type(result)


@settings(deadline=None)
@given(results)
def test_whatever_it_lacks_it_names_and_counts(result: JobResult) -> None:
    message = termination_message(result, STORED)

    assert (message.result == result) == (not message.omitted) == (message.digest is None)
    assert all(lacking > 0 for lacking in message.omitted.values())


@settings(deadline=None)
@given(results)
def test_nothing_is_left_out_of_what_fits(result: JobResult) -> None:
    whole = TerminationMessage(result=result, stored=STORED)

    assert (termination_message(result, STORED) == whole) == (len(msgspec.json.encode(whole)) <= LIMIT)


@settings(deadline=None)
@given(results, texts, texts)
def test_what_is_shortened_is_whole_in_the_log(result: JobResult, before: str, after: str) -> None:
    message = termination_message(result, STORED)
    log = f"{before}\n{whole_result(result)}\n{after}"

    assert message.digest is None or result_in_log(log, message.digest) == result


def test_a_line_of_the_log_that_is_another_result_is_not_taken_for_it() -> None:
    digest = termination_message(training(models=100), STORED).digest

    assert digest is not None
    assert result_in_log(whole_result(training(models=99)), digest) is None


def test_a_wide_table_loses_columns_before_anything_that_decides() -> None:
    message = termination_message(dataset(columns=1000), STORED)

    assert isinstance(message.result, DatasetResult)
    assert list(message.omitted) == ["columns"]
    assert len(message.result.columns) + message.omitted["columns"] == 1000
    assert message.result.training == table()


def test_the_first_models_of_many_are_kept() -> None:
    message = termination_message(training(models=100), STORED)

    assert isinstance(message.result, TrainingResult)
    assert [model.name for model in message.result.models[:3]] == ["churn-0", "churn-1", "churn-2"]
    assert len(message.result.models) + message.omitted["models"] == 100


def test_an_address_that_alone_is_too_long_leaves_the_address_of_the_result() -> None:
    huge = msgspec.structs.replace(judged(), report="x" * 5000)

    message = termination_message(huge, STORED)

    assert (message.result, message.stored, message.omitted) == (None, STORED, {"result": 1})


def test_it_is_written_in_place_since_the_file_is_a_mount(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    specification, log = tmp_path / "specification.json", tmp_path / "termination-log"
    specification.write_text("{}")
    log.touch()
    before = log.stat().st_ino

    code = main([str(specification), "--termination-message", str(log)])

    assert code == 2
    assert log.stat().st_ino == before
    assert json.loads(log.read_text())["result"]["reason"] == "Refused"
    assert capsys.readouterr().out == ""
