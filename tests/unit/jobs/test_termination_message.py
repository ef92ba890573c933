"""What a pod's status says of a job: the result, in 4,096 bytes, and honest about what it lacks."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract import document
from penstock_jobs.contract import result as results_of_jobs
from penstock_jobs.contract.manifest import FORMAT, FeatureSpec, Lineage, ModelManifest, Origin, Sample, ServedFile
from penstock_jobs.contract.result import (
    CandidateScore,
    Column,
    DatasetResult,
    Failure,
    JobResult,
    LeakProof,
    ModelReference,
    ModelScores,
    Remark,
    ScoreResult,
    TableVersion,
    TrainingResult,
)
from penstock_jobs.contract.termination_message import (
    LIMIT,
    TerminationMessage,
    find_in_log,
    log_lines,
    slim,
    termination_message,
)
from penstock_jobs.job_process import main

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


def dataset(columns: int = 0, classes: int = 2, remarks: tuple[str, ...] = ()) -> DatasetResult:
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
        remarks=tuple(Remark(code="ManyTexts", message=each) for each in remarks),
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
        scores=tuple(ScoreResult(name=f"score {number}", value=0.5) for number in range(scores)),
        undefined={f"other {number}": "It needs two classes." for number in range(undefined)},
        new=results_of_jobs.NewPointsResult(points=1000, scores={f"score {number}": 0.5 for number in range(scores)}),
    )
    return results_of_jobs.TestingResult(
        testing_version=1, epoch=1, digest="2d" * 32, points=1000, models=(scored,) * models, report="report.html"
    )


def manifest(features: int) -> ModelManifest:
    return ModelManifest(
        format=FORMAT,
        name="churn-1",
        created="2026-01-31T00:00:00Z",
        task="Classification",
        target="left",
        target_type="Boolean",
        features=tuple(FeatureSpec(name=f"measure {number}", type="Float") for number in range(features)),
        files={"model.onnx": "sha256:" + "0f" * 32},
        serving=ServedFile(format="ONNX", file="model.onnx", reason="It is fast."),
        origin=Origin(
            pipeline="churn",
            run_uid="0f",
            execution_name="test",
            candidate="1e",
            algorithm="forest",
            estimator="sklearn.ensemble.RandomForestClassifier",
            parameters={"max_depth": 6},
            seed=1,
        ),
        lineage=Lineage(
            storage="s3://ml-team/churn",
            strategy="Key",
            key=("id",),
            salt="penstock",
            epoch=0,
            testing_share=0.2,
            generation=1,
            training_uri="s3://ml-team/churn/datasets/training",
            training_version=1,
            training_digest="2d" * 32,
            validation_uri="s3://ml-team/churn/datasets/validation",
            validation_version=1,
            validation_digest="2d" * 32,
            testing_uri="s3://ml-team/churn/datasets/testing/epoch-0",
            testing_version=1,
        ),
        versions={},
    )


def whole_of(result: JobResult, models: tuple[ModelManifest, ...] = ()) -> TerminationMessage:
    own = models if isinstance(result, TrainingResult) else ()
    return TerminationMessage(result=result, stored=STORED, manifests=tuple(map(slim, own)))


manifests = st.lists(st.builds(manifest, st.integers(0, 40)), max_size=4).map(tuple)
warnings = st.lists(texts, max_size=80).map(tuple)
results: st.SearchStrategy[JobResult] = st.one_of(
    st.builds(dataset, counts, counts, warnings),
    st.builds(training, st.integers(0, 100), st.integers(0, 100), warnings),
    st.builds(judged, st.integers(0, 100), st.integers(0, 8), st.integers(0, 8)),
    st.builds(Failure, reason=st.just("Refused"), message=st.text(max_size=4000)),
)


@settings(deadline=None)
@given(results, manifests)
def test_it_always_fits_and_is_always_read_back(result: JobResult, models: tuple[ModelManifest, ...]) -> None:
    message = termination_message(whole_of(result, models))
    content = msgspec.json.encode(message)

    assert len(content) <= LIMIT
    assert document.decode(content, TerminationMessage, "the message") == message
    assert type(message.result) is type(result)


@settings(deadline=None)
@given(results, manifests)
def test_whatever_it_lacks_it_names_and_counts(result: JobResult, models: tuple[ModelManifest, ...]) -> None:
    whole = whole_of(result, models)
    message = termination_message(whole)

    assert (message == whole) == (not message.omitted) == (message.digest is None) == (message.lines == 0)
    assert all(lacking > 0 for lacking in message.omitted.values())


@settings(deadline=None)
@given(results, manifests)
def test_nothing_is_left_out_of_what_fits(result: JobResult, models: tuple[ModelManifest, ...]) -> None:
    whole = whole_of(result, models)

    assert (termination_message(whole) == whole) == (len(msgspec.json.encode(whole)) <= LIMIT)


@settings(deadline=None)
@given(results, manifests, texts, texts)
def test_what_is_shortened_is_whole_at_the_end_of_the_log(
    result: JobResult, models: tuple[ModelManifest, ...], before: str, after: str
) -> None:
    whole = whole_of(result, models)
    message = termination_message(whole)
    lines = log_lines(whole)
    tail = "\n".join([before, *(line for each in lines for line in (each, after))])

    if message.digest is not None:
        content = find_in_log(tail, message.digest)
        assert content is not None
        assert document.decode(content, TerminationMessage, "the log") == whole
        assert message.lines == len(lines)


@settings(deadline=None)
@given(results, manifests)
def test_no_line_of_the_log_is_long_enough_for_a_runtime_to_cut_it(
    result: JobResult, models: tuple[ModelManifest, ...]
) -> None:
    assert all(len(line.encode()) < 16_000 for line in log_lines(whole_of(result, models)))


def test_a_log_that_lost_one_of_the_lines_has_no_result() -> None:
    whole = whole_of(training(models=100))
    digest = termination_message(whole).digest
    lines = log_lines(whole)

    assert digest is not None
    assert len(lines) > 2
    assert all(find_in_log("\n".join(lines[:gone] + lines[gone + 1 :]), digest) is None for gone in range(len(lines)))


def test_another_result_in_the_log_is_not_taken_for_it() -> None:
    digest = termination_message(whole_of(training(models=100))).digest

    assert digest is not None
    assert find_in_log("\n".join(log_lines(whole_of(training(models=99)))), digest) is None


def test_a_wide_table_loses_columns_before_anything_that_decides() -> None:
    message = termination_message(whole_of(dataset(columns=1000)))

    assert isinstance(message.result, DatasetResult)
    assert list(message.omitted) == ["columns"]
    assert len(message.result.columns) + message.omitted["columns"] == 1000
    assert message.result.training == table()


def test_the_first_models_of_many_are_kept() -> None:
    message = termination_message(whole_of(training(models=100)))

    assert isinstance(message.result, TrainingResult)
    assert [model.name for model in message.result.models[:3]] == ["churn-0", "churn-1", "churn-2"]
    assert len(message.result.models) + message.omitted["models"] == 100


def test_manifests_go_before_anything_of_the_result() -> None:
    message = termination_message(whole_of(training(models=3), (manifest(30),) * 3))

    assert message.result == training(models=3)
    assert list(message.omitted) == ["manifests"]
    assert len(message.manifests) + message.omitted["manifests"] == 3


def test_no_row_of_the_data_is_in_it() -> None:
    sample = Sample(row={"age": 41}, prediction="yes")
    feature = FeatureSpec(name="city", type="String", categories=("Ghent",))

    told = slim(msgspec.structs.replace(manifest(0), samples=(sample,), features=(feature,)))

    assert told.samples == ()
    assert told.features == (FeatureSpec(name="city", type="String"),)


def test_an_address_that_alone_is_too_long_leaves_the_address_of_the_result() -> None:
    huge = msgspec.structs.replace(judged(), report="x" * 5000)

    message = termination_message(whole_of(huge))

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


def test_a_line_that_another_process_had_begun_is_read_all_the_same() -> None:
    whole = whole_of(training(models=99))
    message, lines = termination_message(whole), log_lines(whole)
    assert message.digest is not None

    assert find_in_log("\n".join([f"leaked 3 inst{lines[0]}", *lines[1:]]), message.digest) is not None
