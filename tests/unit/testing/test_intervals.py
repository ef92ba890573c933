"""The interval of one score: exact for a share of independent points, by bootstrap else, or a sentence."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from penstock_jobs.contract.specification import ScoringSpec
from penstock_jobs.scoring import Predictions, load_scorer
from penstock_jobs.testing.bootstrap import NoInterval
from penstock_jobs.testing.intervals import ScoreInterval, clopper_pearson, interval_of
from penstock_jobs.testing.points import Points, group_units, single_units
from penstock_jobs.testing.scores import all_scores

CLASSES = ("no", "yes")


def made(points: Points, labels: npt.NDArray[np.str_], name: str, average: str | None = None) -> ScoreInterval:
    scorer = load_scorer(
        ScoringSpec(name=name, average=average),
        "Classification",
        points.classes,
        points.positive,
    )
    answers = Predictions(labels)
    return interval_of(scorer.score(points.truth, answers, points.weight), scorer, points, answers, 0.95, 400, 0)


def answered(count: int, right: int) -> tuple[Points, npt.NDArray[np.str_]]:
    """Return points of which the first ones are answered right, a third of both positive."""
    truth = np.where(np.arange(count) % 3 == 0, "yes", "no")
    labels = np.where((np.arange(count) < right) == (truth == "yes"), "yes", "no")
    return Points(truth, single_units(count).of_points, CLASSES, "yes"), labels


@given(trials=st.integers(1, 60), share=st.floats(0.01, 0.99), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_the_interval_of_a_share_holds_it_at_least_as_often_as_promised(
    trials: int, share: float, confidence: float
) -> None:
    ends = [clopper_pearson(successes, trials, confidence) for successes in range(trials + 1)]
    holding = [one.low <= share <= one.high for one in ends]

    assert stats.binom.pmf(np.arange(trials + 1), trials, share)[holding].sum() >= confidence - 1e-9


def test_the_interval_of_a_share_is_the_published_one() -> None:
    found = clopper_pearson(81, 263, 0.95)  # R. Newcombe, Statistics in Medicine 17 (1998)

    assert (found.low, found.high) == pytest.approx((0.2527, 0.3676), abs=5e-5)


def test_none_of_four_is_no_interval_of_width_zero() -> None:
    found = made(*answered(4, 0), "accuracy")

    assert (found.ends.low, found.ends.high) == pytest.approx((0, 0.6024), abs=5e-5)


@pytest.mark.parametrize(("name", "counted"), [("accuracy", 90), ("recall", 30), ("precision", 40)])
def test_a_share_of_points_is_counted_over_those_that_it_is_about(name: str, counted: int) -> None:
    truth = np.array(["yes"] * 30 + ["no"] * 60)
    labels = np.array(["yes"] * 20 + ["no"] * 10 + ["yes"] * 20 + ["no"] * 40)
    found = made(Points(truth, single_units(90).of_points, CLASSES, "yes"), labels, name)

    assert found.method == f"Clopper-Pearson, {counted} points"


def test_a_share_of_very_many_points_is_exact_still() -> None:
    assert made(*answered(6_000, 5_000), "accuracy").method == "Clopper-Pearson, 6,000 points"


def test_an_average_over_classes_is_no_share() -> None:
    assert made(*answered(90, 80), "recall", average="macro").method == "bootstrap over 90 points"
    assert made(*answered(90, 80), "recall", average="micro").method == "Clopper-Pearson, 90 points"


def test_points_that_belong_together_or_weigh_differently_are_no_independent_draws() -> None:
    points, labels = answered(120, 80)
    order = np.random.default_rng(0).permutation(120)
    grouped = Points(
        points.truth, group_units([int(one) // 4 for one in order]).of_points, CLASSES, "yes", None, "groups"
    )
    weighted = Points(points.truth, points.unit, CLASSES, "yes", np.linspace(1, 3, 120))

    assert made(grouped, labels, "accuracy").method == "bootstrap over 30 groups"
    assert made(weighted, labels, "accuracy").method == "bootstrap over 120 points"


def test_groups_of_one_point_each_are_independent_points() -> None:
    points, labels = answered(120, 80)
    single = Points(points.truth, points.unit, CLASSES, "yes", None, "groups")

    assert made(single, labels, "accuracy").method == "Clopper-Pearson, 120 points"


def test_many_points_of_few_groups_have_no_interval_but_a_sentence() -> None:
    points, labels = answered(1_000, 800)
    grouped = Points(points.truth, np.arange(1_000) % 7, CLASSES, "yes", None, "groups")

    with pytest.raises(NoInterval, match=r"rests on 7 groups, and an interval by bootstrap needs 30 at least\."):
        made(grouped, labels, "accuracy")


def test_of_each_score_is_said_how_its_interval_was_made_or_why_there_is_none() -> None:
    points, _ = answered(60, 60)
    probabilities = np.where(points.truth == "yes", 0.9, 0.1)
    answers = Predictions(points.truth, np.column_stack([1 - probabilities, probabilities]))
    scorers = [
        load_scorer(ScoringSpec(name=name), "Classification", CLASSES, "yes") for name in ("accuracy", "roc_auc")
    ]
    found = all_scores(scorers, points, answers, 400, 0, "the test")

    assert found.intervals == {
        "accuracy": "Clopper-Pearson, 60 points",
        "roc_auc": "No interval. All resamples have the same score, so nothing is known of how far it would move.",
    }
    assert [(one.low, one.high) for one in found.scores] == [pytest.approx((0.9404, 1), abs=5e-5), (None, None)]
