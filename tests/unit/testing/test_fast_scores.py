"""Every fast form is the scoring function's own number, on any resample."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.contract.specification import ScoringSpec, Task
from penstock_jobs.scoring import Predictions, load_scorer
from penstock_jobs.testing import bootstrap
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.resampled import ResampledScore, score

LABEL_SCORES = ["accuracy", "balanced_accuracy", "matthews_corrcoef", "f1", "precision", "recall", "jaccard"]
AVERAGES = ("macro", "weighted", "micro")
AVERAGED = [f"{name}_{average}" for name in ("f1", "precision", "recall", "jaccard") for average in AVERAGES]
PROBABILITY_SCORES = ["neg_log_loss", "neg_brier_score", "roc_auc"]
REGRESSION_SCORES = [
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
    "neg_mean_squared_log_error",
    "neg_root_mean_squared_log_error",
    "r2",
    "explained_variance",
]


def classification(
    seed: int,
    classes: tuple[str | int, ...] = ("no", "yes"),
    points: int = 60,
    weighted: bool = False,
    groups: int | None = None,
) -> tuple[Points, Predictions]:
    generator = np.random.default_rng(seed)
    names = np.array(classes)
    truth = names[generator.integers(0, len(classes), points)]
    logits = generator.normal(size=(points, len(classes))) + 1.5 * (truth[:, None] == names)
    probabilities = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    drawn = np.arange(points) if groups is None else generator.integers(0, groups, points)
    positive = classes[-1] if len(classes) == 2 else None
    weight = generator.uniform(0.5, 3, points) if weighted else None
    return (
        Points(truth, np.unique(drawn, return_inverse=True)[1], tuple(classes), positive, weight),
        Predictions(names[probabilities.argmax(axis=1)], probabilities),
    )


def regression(seed: int, points: int = 60, weighted: bool = False) -> tuple[Points, Predictions]:
    generator = np.random.default_rng(seed)
    truth = generator.gamma(2, 3, points)
    weight = generator.uniform(0.5, 3, points) if weighted else None
    return Points(truth, np.arange(points), weight=weight), Predictions(np.abs(truth + generator.normal(size=points)))


def agree(name: str, points: Points, predictions: Predictions, task: Task) -> None:
    scorer = load_scorer(ScoringSpec(name=name), task, points.classes, points.positive)
    resampled = ResampledScore(scorer, points, predictions)
    assert resampled.fast, f"{name} has no fast form"
    rows = next(bootstrap.resample_counts(points.units, 5, seed=11))
    fast = resampled.statistic(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for counts, value in zip(rows, fast, strict=True):
            taken = np.repeat(np.arange(len(points)), counts.astype(int)[points.unit])
            expected = score(scorer, points.take(taken), take_predictions(predictions, taken))
            assert value == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [*LABEL_SCORES, *PROBABILITY_SCORES, "average_precision", "f1_macro"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_a_fast_score_of_two_classes_is_the_scoring_functions_own(name: str, weighted: bool, seed: int) -> None:
    agree(name, *classification(seed, weighted=weighted, groups=25), "Classification")


@pytest.mark.parametrize("classes", [("a", "b", "c"), tuple(range(10))])
@pytest.mark.parametrize("name", [*LABEL_SCORES, *AVERAGED, *PROBABILITY_SCORES, "roc_auc_ovr"])
def test_a_fast_score_of_many_classes_is_the_scoring_functions_own(name: str, classes: tuple[str | int, ...]) -> None:
    agree(name, *classification(3, classes, points=200), "Classification")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", REGRESSION_SCORES)
def test_a_fast_score_of_a_regression_is_the_scoring_functions_own(name: str, weighted: bool) -> None:
    agree(name, *regression(5, weighted=weighted), "Regression")
