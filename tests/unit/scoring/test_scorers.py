import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score, get_scorer, get_scorer_names
from sklearn.svm import LinearSVC

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import ScoringSpec, Task
from penstock_jobs.scoring import Predictions, load_scorer, order_classes, positive_index, predict

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4))
NOISY = X[:, 0] + RANDOM.normal(size=300)
WEIGHTS = RANDOM.random(300)
TEXT = np.where(NOISY > 0.3, "yes", "no")
THREE = np.digitize(NOISY, [-0.5, 0.5])
BINARY: Task = "Classification"
FOR_CLUSTERS = {name for name in get_scorer_names() if "_score" in name and "d2" not in name}
FOR_SETS = {name for name in get_scorer_names() if name.endswith("_samples")}
REGRESSIONS = {name for name in get_scorer_names() if get_scorer(name)._score_func.__module__.endswith("_regression")}
CLASSIFICATIONS = set(get_scorer_names()) - FOR_CLUSTERS - FOR_SETS - REGRESSIONS
TWO_ONLY = {"positive_likelihood_ratio", "neg_negative_likelihood_ratio"}


@pytest.fixture(autouse=True)
def own_functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("own_scores", None)


def classifier(target: npt.NDArray[np.generic]) -> LogisticRegression:
    return LogisticRegression().fit(X, target)


@pytest.mark.parametrize("name", sorted(CLASSIFICATIONS))
@pytest.mark.parametrize("positive", ["yes", "no"])
def test_two_classes_of_text_score_as_scikit_learn_scores_zero_and_one(name: str, positive: str) -> None:
    fitted, encoded = classifier(TEXT), np.equal(TEXT, positive).astype(int)
    scorer = load_scorer(ScoringSpec(name=name), BINARY, ("no", "yes"), positive)
    ours = scorer.score(TEXT, predict(fitted, X, classification=True), WEIGHTS)
    theirs = _of_predictions(name, encoded, fitted, positive)
    assert ours == pytest.approx(theirs, nan_ok=True)


def _of_predictions(name: str, encoded: npt.NDArray[np.generic], fitted: LogisticRegression, positive: str) -> float:
    known = get_scorer(name)
    probability = fitted.predict_proba(X)[:, list(fitted.classes_).index(positive)]
    response = known._response_method
    answer = (fitted.predict(X) == positive).astype(int) if response == "predict" else probability
    weights = {} if "likelihood" in name else {"sample_weight": WEIGHTS}
    return float(known._sign * known._score_func(encoded, answer, **known._kwargs, **weights))


@pytest.mark.parametrize(
    "name",
    sorted(CLASSIFICATIONS - TWO_ONLY - {"f1", "precision", "recall", "jaccard", "roc_auc", "average_precision"}),
)
def test_many_classes_score_as_scikit_learn_scores_them(name: str) -> None:
    fitted = classifier(THREE)
    scorer = load_scorer(ScoringSpec(name=name), BINARY, (0, 1, 2), None)
    ours = scorer.score(THREE, predict(fitted, X, classification=True))
    assert ours == pytest.approx(get_scorer(name)(fitted, X, THREE), abs=1e-12)


def test_what_looks_at_either_looks_at_the_probabilities_that_are_served() -> None:
    fitted = classifier(THREE)
    scorer = load_scorer(ScoringSpec(name="average_precision"), BINARY, (0, 1, 2), None)
    wanted = average_precision_score(THREE, fitted.predict_proba(X))
    assert scorer.score(THREE, predict(fitted, X, classification=True)) == wanted


@pytest.mark.parametrize(
    ("name", "same"), [("f1", "f1_macro"), ("precision", "precision_macro"), ("roc_auc", "roc_auc_ovr")]
)
def test_what_raises_on_many_classes_becomes_a_macro_average(name: str, same: str) -> None:
    predictions = predict(classifier(THREE), X, classification=True)
    first, second = (load_scorer(ScoringSpec(name=one), BINARY, (0, 1, 2), None) for one in (name, same))
    assert first.score(THREE, predictions) == second.score(THREE, predictions)


def test_an_average_can_be_asked_for() -> None:
    predictions = predict(classifier(THREE), X, classification=True)
    weighted = load_scorer(ScoringSpec(name="f1", average="weighted"), BINARY, (0, 1, 2), None)
    assert weighted.score(THREE, predictions) == get_scorer("f1_weighted")(classifier(THREE), X, THREE)


@pytest.mark.parametrize("name", sorted(REGRESSIONS))
def test_a_regression_scores_as_scikit_learn_scores_it(name: str) -> None:
    target = np.exp(X[:, 0] / 4) + 3
    fitted = Ridge().fit(X, target)
    scorer = load_scorer(ScoringSpec(name=name), "Regression", (), None)
    assert scorer.score(target, predict(fitted, X, classification=False)) == get_scorer(name)(fitted, X, target)


def test_a_decision_function_serves_where_there_are_no_probabilities() -> None:
    fitted = LinearSVC().fit(X, TEXT)
    predictions = predict(fitted, X, classification=True)
    for positive in ("yes", "no"):
        scorer = load_scorer(ScoringSpec(name="roc_auc"), BINARY, ("no", "yes"), positive)
        assert scorer.score(TEXT, predictions) == pytest.approx(get_scorer("roc_auc")(fitted, X, TEXT == "yes"))


def test_a_score_of_probabilities_that_are_not_there_is_refused() -> None:
    scorer = load_scorer(ScoringSpec(name="neg_log_loss"), BINARY, ("no", "yes"), "yes")
    with pytest.raises(Refused, match="needs predict_proba"):
        scorer.score(TEXT, Predictions(TEXT))


def test_a_class_that_a_slice_misses_is_still_one_of_the_classes() -> None:
    predictions = predict(classifier(THREE), X, classification=True)
    few = THREE < 2
    assert predictions.probabilities is not None
    part = Predictions(predictions.labels[few], predictions.probabilities[few])
    scorer = load_scorer(ScoringSpec(name="neg_log_loss"), BINARY, (0, 1, 2), None)
    assert np.isfinite(scorer.score(THREE[few], part))


@pytest.mark.parametrize("target", [load_iris().target, load_digits().target, load_digits().target.astype(str)])
def test_real_tables_with_many_classes_have_every_score(target: npt.NDArray[np.generic]) -> None:
    rows = np.random.default_rng(1).normal(size=(len(target), 3))
    rows[:, 0] += target.astype(float)
    predictions = predict(LogisticRegression(max_iter=500).fit(rows, target), rows, classification=True)
    for name in sorted(CLASSIFICATIONS - TWO_ONLY):
        scorer = load_scorer(ScoringSpec(name=name), BINARY, order_classes(target), None)
        assert np.isfinite(scorer.score(target, predictions)), name


@pytest.mark.parametrize(
    ("scoring", "task", "sentence"),
    [
        (ScoringSpec(name="f1"), BINARY, "say in target.positive which of no and yes"),
        (ScoringSpec(name="accuracc"), BINARY, "the nearest is accuracy"),
        (ScoringSpec(name="rand_score"), BINARY, "compares clusterings"),
        (ScoringSpec(name="f1_samples"), BINARY, "several labels a row"),
        (ScoringSpec(name="r2"), BINARY, "for regressions, and the task is Classification"),
        (ScoringSpec(name="accuracy"), "Regression", "for classifications, and the task is Regression"),
        (ScoringSpec(name="accuracy", average="macro"), BINARY, "has no average"),
        (ScoringSpec(name="own", function="own_scores.mised"), BINARY, "the nearest is missed"),
        (ScoringSpec(name="own", function="own_scores.ANSWER"), BINARY, "is not a function"),
        (ScoringSpec(name="own", function="own_scores.breaks"), BINARY, "raised KeyError: 'amount'"),
        (ScoringSpec(name="own", function="own_scores.words"), BINARY, "not a number"),
        (ScoringSpec(name="own", function="no_module.cost"), BINARY, "there is no module no_module"),
        (
            ScoringSpec(name="own", function="own_scores.missed", response="predict_proba"),
            "Regression",
            "does not have",
        ),
    ],
)
def test_a_score_that_cannot_be_is_refused_before_anything_is_trained(
    scoring: ScoringSpec, task: Task, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        load_scorer(scoring, task, ("no", "yes") if task == BINARY else (), None)


def test_ones_own_function_sees_the_labels_as_they_are() -> None:
    scorer = load_scorer(ScoringSpec(name="missed", function="own_scores.missed"), BINARY, ("no", "yes"), "yes")
    assert scorer.score(np.array(["yes", "yes", "no"]), Predictions(np.array(["no", "yes", "yes"]))) == 1


def test_an_error_of_ones_own_is_turned_so_that_greater_is_better() -> None:
    scoring = ScoringSpec(name="missed", function="own_scores.missed", greater_is_better=False)
    scorer = load_scorer(scoring, BINARY, ("no", "yes"), "yes")
    assert scorer.score(np.array(["yes"]), Predictions(np.array(["no"]))) == -1


def test_ones_own_function_of_probabilities_sees_those_of_the_positive_class() -> None:
    scoring = ScoringSpec(name="mean", function="own_scores.mean_of_positive", response="predict_proba")
    predictions = Predictions(np.array(["no", "no"]), np.array([[0.9, 0.1], [0.7, 0.3]]))
    truth = np.array(["no", "yes"])
    for positive, mean in (("yes", 0.2), ("no", 0.8)):
        scorer = load_scorer(scoring, BINARY, ("no", "yes"), positive)
        assert scorer.score(truth, predictions) == pytest.approx(mean)
    assert scorer.score(truth, predictions, np.array([1.0, 0.0])) == pytest.approx(0.9)


def test_ones_own_function_of_many_probabilities_sees_all_columns() -> None:
    scoring = ScoringSpec(name="width", function="own_scores.width", response="predict_proba")
    scorer = load_scorer(scoring, BINARY, (0, 1, 2), None)
    assert scorer.score(THREE, predict(classifier(THREE), X, classification=True)) == 3


@pytest.mark.parametrize(
    ("classes", "positive", "place"),
    [
        ((0, 1), None, 1),
        ((-1, 1), None, 1),
        ((False, True), None, 1),
        (("no", "yes"), None, None),
        ((1, 2), None, None),
        (("no", "yes"), "no", 0),
        ((False, True), "false", 0),
        ((0, 1), "0", 0),
        ((0, 1), False, None),
        (("a", "b", "c"), "b", None),
    ],
)
def test_the_positive_class(classes: tuple[object, ...], positive: bool | str | None, place: int | None) -> None:
    if positive is False:
        with pytest.raises(Refused, match="none of the classes"):
            positive_index(classes, positive)
    else:
        assert positive_index(classes, positive) == place


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from([0, 1]))
def test_a_threshold_is_reached_by_what_is_as_great(threshold: float, values: list[float], positive: int) -> None:
    probabilities = np.array([[1 - value, value] if positive == 1 else [value, 1 - value] for value in values])
    labels = np.array(["no"] * len(values), dtype="<U3")
    decided = Predictions(labels, probabilities).apply_threshold(threshold, ("no", "yes"), positive).labels
    wanted, other = ("yes", "no") if positive == 1 else ("no", "yes")
    assert list(decided) == [wanted if value >= threshold else other for value in values]
