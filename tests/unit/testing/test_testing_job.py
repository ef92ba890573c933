"""The testing job, on real tables and saved Models."""

import html
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.gate import apply_gate
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.result import JobResult
from penstock_jobs.contract.specification import Run, ScoringSpec, SelectionSpec, SplitSpec
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.testing import test as run_testing
from unit.decide_run.examples_of_runs import dataset_result
from unit.testing.laboratory import Laboratory


def breast_cancer() -> pd.DataFrame:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, -1]]
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    named = frame["target"].map({0: "malignant", 1: "benign"}).astype(object)
    return frame.assign(target=named, id=np.arange(len(frame)))


@pytest.fixture
def cancer(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, breast_cancer(), "target", positive="malignant")


def test_the_scores_are_those_of_the_saved_model_on_the_testing_points(cancer: Laboratory) -> None:
    model = cancer.model("linear", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((model,), ("roc_auc", "f1", "accuracy")))

    testing = cancer.frames["testing"]
    training = cancer.frames["training"]
    estimator = StandardScaler(), LogisticRegression()
    fitted = estimator[1].fit(estimator[0].fit_transform(model_frame(training, cancer.features)), training["target"])
    response = fitted.predict_proba(estimator[0].transform(model_frame(testing, cancer.features)))[:, 1]
    scores = {score.name: score for score in result.models[0].scores}
    assert result.points == result.models[0].points == len(testing)
    assert scores["roc_auc"].value == pytest.approx(roc_auc_score(testing["target"] == "malignant", response), abs=1e-6)
    low, high = scores["roc_auc"].low, scores["roc_auc"].high
    assert low is not None
    assert high is not None
    assert low < scores["roc_auc"].value < high
    assert Path(result.report.removeprefix("file://")).is_file()


def test_the_result_is_the_same_when_it_is_read_back_and_when_it_is_made_again(cancer: Laboratory) -> None:
    models = cancer.model("new", StandardScaler(), LogisticRegression()), cancer.model("old", DecisionTreeClassifier())
    job = cancer.job(models[:1], ("roc_auc", "f1"), served=models[1], selection=SelectionSpec(scoring="roc_auc"))
    first = run_testing(job)

    assert document.decode(document.encode(first), JobResult, "test") == first
    assert run_testing(job) == first


def test_the_challenger_is_the_best_on_validation_and_not_on_testing(cancer: Laboratory) -> None:
    good = cancer.model("good", StandardScaler(), LogisticRegression(), validation=0.8)
    lucky = cancer.model("lucky", DecisionTreeClassifier(max_depth=1), validation=0.9)
    result = run_testing(cancer.job((good, lucky), ("roc_auc",)))

    scores = {one.model: one.scores[0].value for one in result.models}
    assert scores["good"] > scores["lucky"]
    assert result.challenger == "lucky"


def test_after_the_testing_share_was_raised_only_points_that_the_served_model_never_saw_count(tmp_path: Path) -> None:
    before = Laboratory(
        tmp_path / "before", breast_cancer(), "target", positive="malignant", split=SplitSpec(testing=0.2)
    )
    after = Laboratory(
        tmp_path / "after", breast_cancer(), "target", positive="malignant", split=SplitSpec(testing=0.5)
    )
    lineage = before.lineage(storage=after.storage.uri, generation=-1)
    served = before.model("served", DecisionTreeClassifier(max_depth=2), lineage=lineage)
    new = after.model("new", StandardScaler(), LogisticRegression())
    result = run_testing(after.job((new,), ("roc_auc",), served=served, selection=SelectionSpec(scoring="roc_auc")))

    assert result.comparison is not None
    assert result.comparison.points == len(before.frames["testing"]) < result.points == len(after.frames["testing"])
    assert result.comparison.difference is not None


def test_too_few_common_points_decide_nothing_and_the_reason_has_the_numbers(cancer: Laboratory) -> None:
    served = cancer.model("served", DecisionTreeClassifier(), lineage=cancer.lineage(testing_share=0.02, generation=-1))
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((new,), ("roc_auc",), served=served, minimum_points=100))

    assert result.comparison is not None
    assert result.comparison.difference is None
    assert result.comparison.reason == (
        f"Only {result.comparison.points} of the {result.points} testing points were seen by neither Model in training "
        "or validation, and testing.minimumPoints asks for 100."
    )


@pytest.mark.parametrize("trouble", ["another key", "file gone", "another storage"])
def test_a_served_model_that_cannot_be_judged_is_no_reason_for_the_run_to_fail(
    cancer: Laboratory, tmp_path: Path, trouble: str
) -> None:
    lineage = cancer.lineage(key=("patient",)) if trouble == "another key" else None
    served = cancer.model("served", StandardScaler(), LogisticRegression(), lineage=lineage)
    if trouble == "file gone":
        (tmp_path / "storage" / "models" / "served" / "model.onnx").unlink()
    if trouble == "another storage":
        wider = Laboratory(tmp_path / "wider", breast_cancer().assign(extra=1.0), "target", positive="malignant")
        served = wider.model("wider", StandardScaler(), LogisticRegression())
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((new,), ("roc_auc",), served=served))

    assert result.comparison is not None
    assert result.comparison.difference is None
    assert result.comparison.reason is not None
    assert result.comparison.reason.startswith(f"The served Model {served.name} is not compared. ")
    assert result.comparison.reason in result.warnings[0]


def failing_on_real_points(y_true: Any, y_pred: Any) -> float:
    if len(y_true) > 20:
        raise ZeroDivisionError("no point of that kind")
    return 1.0


def without_number(y_true: Any, y_pred: Any) -> float:
    return float("nan")


def share_right(y_true: Any, y_pred: Any) -> float:
    return float(np.mean(np.asarray(y_true) == np.asarray(y_pred)))


def own(name: str) -> ScoringSpec:
    return ScoringSpec(name=name, function=f"{__name__}.{name}")


def test_a_scoring_function_that_raises_is_refused_by_name(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    with pytest.raises(Refused, match=r"failing_on_real_points failed .*ZeroDivisionError: no point of that kind"):
        run_testing(cancer.job((new,), ("roc_auc", own("failing_on_real_points"))))


def test_a_score_that_is_no_number_is_left_out_and_said(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((new,), ("roc_auc", own("without_number"))))

    assert [score.name for score in result.models[0].scores] == ["roc_auc"]
    assert "without_number has no number" in result.models[0].undefined["without_number"]
    assert "without_number has no number" in report_of(result.report)


def test_a_scoring_function_of_ones_own_has_an_interval_and_can_decide(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    served = cancer.model("old", DecisionTreeClassifier(max_depth=1))
    selection = SelectionSpec(scoring="share_right", must_improve=True)
    result = run_testing(cancer.job((new,), (own("share_right"),), served=served, selection=selection))
    accuracy = run_testing(cancer.job((new,), ("accuracy",), served=served)).models[0].scores[0]

    assert result.models[0].scores[0].value == accuracy.value
    assert result.models[0].scores[0].low == pytest.approx(accuracy.low, abs=0.02)
    assert result.comparison is not None
    assert result.comparison.low is not None


def test_a_gate_on_a_score_that_testing_does_not_make_is_refused(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    with pytest.raises(Refused, match=r"deployment.selection.scoring is f1, which testing.scoring does not have"):
        run_testing(cancer.job((new,), ("roc_auc",), selection=SelectionSpec(scoring="f1")))


def test_a_segment_of_a_column_that_does_not_exist_is_refused(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    with pytest.raises(Refused, match="the column hospital, which the tables do not have"):
        run_testing(cancer.job((new,), ("roc_auc",), segments=("hospital",)))


def test_a_run_without_new_models_tests_the_served_one(cancer: Laboratory) -> None:
    served = cancer.model("old", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((), ("roc_auc",), served=served))

    assert [one.model for one in result.models] == ["old"]
    assert result.challenger is None
    assert result.comparison is None


@pytest.mark.parametrize(
    ("frame", "scoring", "estimator"),
    [
        (load_wine, ("accuracy", "f1", "roc_auc", "neg_log_loss"), LogisticRegression()),
        (load_digits, ("accuracy", "f1", "roc_auc"), LogisticRegression(max_iter=50)),
        (load_breast_cancer, ("roc_auc", "average_precision", "f1"), LinearSVC()),
        (load_breast_cancer, ("accuracy", "f1"), Perceptron()),
    ],
)
def test_any_number_of_classes_with_or_without_probabilities_is_tested(
    tmp_path: Path, frame: Any, scoring: tuple[str, ...], estimator: Any
) -> None:
    data = frame(as_frame=True).frame.iloc[:400]
    laboratory = Laboratory(tmp_path, data.assign(id=np.arange(len(data))), "target", positive=None)
    new = laboratory.model("new", StandardScaler(), estimator)
    result = run_testing(laboratory.job((new,), scoring, resamples=200))

    assert {score.name for score in result.models[0].scores} == set(scoring)
    assert all(
        (score.low is None) == (score.value == 1) or score.name == "accuracy" for score in result.models[0].scores
    )


def test_a_regression_is_tested_with_weights_and_groups(tmp_path: Path) -> None:
    data = load_diabetes(as_frame=True).frame
    data = data.assign(id=np.arange(len(data)), customer=np.arange(len(data)) // 3, importance=1.0 + data["age"].rank())
    split = SplitSpec(testing=0.3, strategy="Group", group_columns=("customer",))
    laboratory = Laboratory(tmp_path, data, "target", "Regression", roles={"importance": "Weight"}, split=split)
    new = laboratory.model("new", LinearRegression())
    served = laboratory.model("old", LinearRegression(), features=("age",))
    scoring = ("neg_mean_absolute_error", "r2", "neg_median_absolute_error")
    job = laboratory.job((new,), scoring, served=served, segments=("sex",))
    result = run_testing(job)

    testing = laboratory.frames["testing"]
    predicted = (
        LinearRegression()
        .fit(model_frame(laboratory.frames["training"], laboratory.features), laboratory.frames["training"]["target"])
        .predict(model_frame(testing, laboratory.features))
    )
    expected = np.average(np.abs(predicted - testing["target"]), weights=testing["importance"])
    assert -result.models[0].scores[0].value == pytest.approx(expected)
    assert result.comparison is not None
    assert result.comparison.low is not None
    assert result.comparison.low > 0


def test_a_split_by_time_is_tested_in_stretches_of_time(tmp_path: Path) -> None:
    data = load_diabetes(as_frame=True).frame
    data = data.assign(id=np.arange(len(data)), day=pd.date_range("2026-01-01", periods=len(data), freq="D", tz="UTC"))
    split = SplitSpec(testing=0.0, strategy="Time", time_column="day", cutoff="2026-11-01T00:00:00Z")
    laboratory = Laboratory(tmp_path, data, "target", "Regression", split=split)
    lineage = laboratory.lineage(trained_until="2026-11-01T00:00:00Z")
    new = laboratory.model("new", LinearRegression(), lineage=lineage)
    served = laboratory.model("old", LinearRegression(), lineage=laboratory.lineage(trained_until="2026-12-01"))
    result = run_testing(laboratory.job((new,), ("r2",), served=served))

    assert result.points == (data["day"] >= "2026-11-01").sum()
    assert result.comparison is not None
    assert result.comparison.points == (data["day"] >= "2026-12-01").sum()


def test_a_tiny_testing_set_is_scored_without_an_interval_that_it_cannot_have(tmp_path: Path) -> None:
    laboratory = Laboratory(
        tmp_path, breast_cancer().iloc[:120], "target", positive="malignant", split=SplitSpec(testing=0.01)
    )
    assert len(laboratory.frames["testing"]) <= 3
    new = laboratory.model("new", StandardScaler(), LogisticRegression())
    result = run_testing(laboratory.job((new,), ("accuracy", "roc_auc")))

    assert result.models[0].scores[0].name == "accuracy"
    assert "<html" in report_of(result.report)


def report_of(uri: str) -> str:
    return Path(uri.removeprefix("file://")).read_text()


def test_the_report_is_one_file_and_whatever_a_user_named_is_escaped_in_it(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>&'"
    data = breast_cancer()
    data = data.assign(target=data["target"].map({"malignant": evil, "benign": f"</title>{evil}"}).astype(object))
    data = data.assign(**{evil: data["mean_area"]}, place=np.where(data["id"] % 2 == 0, evil, "here"))
    laboratory = Laboratory(
        tmp_path, data.astype({"place": object}), "target", positive=evil, roles={"place": "Weight"}
    )
    laboratory.columns = tuple(one for one in laboratory.columns if one.name != "place")
    new = laboratory.model("new", StandardScaler(), LogisticRegression())
    served = laboratory.model("old", DecisionTreeClassifier(max_depth=1))
    job = laboratory.job((new,), ("roc_auc", "f1"), served=served, segments=("place", evil))
    job = msgspec.structs.replace(job, run=Run(uid="1", execution_name=evil, pipeline=evil, pipeline_uid="0"))
    page = report_of(run_testing(job).report)

    assert "<img" not in page
    assert evil not in page
    assert "&lt;img" in page
    for outside in ("http://", "https://", "<script", "<link", "<iframe", "url("):
        assert outside not in page.lower()


def test_the_report_names_the_parameters_that_the_rows_were_read_with(cancer: Laboratory) -> None:
    job = cancer.job((cancer.model("new", StandardScaler(), LogisticRegression()),), ("roc_auc",))
    asked = ParameterValue(name="region", type="String", value="<b>north</b>")
    made = msgspec.structs.replace(dataset_result(), parameters=(asked,))

    page = report_of(run_testing(msgspec.structs.replace(job, dataset_result=made)).report)

    assert "Parameter region" in page
    assert "&lt;b&gt;north&lt;/b&gt;" in page


@pytest.mark.parametrize("again", [0, 20])
def test_the_report_says_of_retired_points_that_they_are_trained_on_where_they_are(
    cancer: Laboratory, again: int
) -> None:
    job = cancer.job((cancer.model("new", StandardScaler(), LogisticRegression()),), ("roc_auc",))
    made = dataset_result()
    proof = msgspec.structs.replace(made.leak_proof, retired_in_training=again)
    made = msgspec.structs.replace(made, leak_proof=proof)

    page = report_of(run_testing(msgspec.structs.replace(job, dataset_result=made)).report)

    assert ("of testing that are not retired (20 retired ones are trained on" in page) == bool(again)
    assert ("Retired points that are in training or validation" in page) == bool(again)


def test_the_report_tells_the_verdict_in_the_words_of_the_gate(cancer: Laboratory) -> None:
    new = cancer.model("new", StandardScaler(), LogisticRegression())
    served = cancer.model("old", DecisionTreeClassifier(max_depth=1))
    selection = SelectionSpec(scoring="roc_auc", must_improve=True)
    result = run_testing(cancer.job((new,), ("roc_auc",), served=served, selection=selection, decisions_so_far=37))

    page = report_of(result.report)
    assert html.escape(apply_gate(result, selection, "old").reason) in page
    assert "used to decide 37 times before" in page
    for heading in (
        "ROC curve",
        "Precision and recall",
        "Reliability",
        "Brier score",
        "Confusion",
        "What the Model looks at",
    ):
        assert heading in page
