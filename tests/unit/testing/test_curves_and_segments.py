"""What the report draws: the same numbers as scikit-learn's, and every point in exactly one segment."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc, confusion_matrix, precision_recall_curve, roc_curve

from penstock_jobs.testing.curves import confusion_counts, histogram, reliability, threshold_curve, wilson_interval
from penstock_jobs.testing.segments import parts


def responses(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    positive = generator.random(120) < 0.4
    return (
        positive,
        np.round(np.clip(0.3 * positive + generator.random(120) * 0.7, 0, 1), 2),
        generator.uniform(1, 3, 120),
    )


@given(st.integers(0, 1000))
def test_curves_are_those_of_scikit_learn(seed: int) -> None:
    positive, response, weight = responses(seed)
    found = threshold_curve(positive, response, weight)
    assert found is not None

    across, up, _ = roc_curve(positive, response, sample_weight=weight)
    assert auc([0, *found.false_positive_rate], [0, *found.recall]) == pytest.approx(auc(across, up))
    precision, recall, level = precision_recall_curve(positive, response, sample_weight=weight)
    assert found.precision[::-1] == pytest.approx(precision[:-1][-len(level) :])
    assert found.recall[::-1] == pytest.approx(recall[:-1][-len(level) :])


def test_a_curve_of_one_class_does_not_exist() -> None:
    assert threshold_curve(np.ones(5, dtype=bool), np.linspace(0, 1, 5)) is None


def test_reliability_counts_every_point_once() -> None:
    positive, response, _ = responses(1)
    bins = reliability(positive, response)

    assert sum(one.points for one in bins) == len(response)
    assert sum(one.share * one.points for one in bins) == pytest.approx(positive.sum())
    assert all(one.share_low <= one.share <= one.share_high for one in bins)


def test_wilsons_interval_is_the_published_one() -> None:
    assert wilson_interval(81, 263) == pytest.approx(
        (0.2553, 0.3662), abs=5e-4
    )  # R. Newcombe, Statistics in Medicine 17 (1998)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    truth, given_as = generator.integers(0, 4, 200), generator.integers(0, 4, 200)

    assert (confusion_counts(truth, given_as, (0, 1, 2, 3)) == confusion_matrix(truth, given_as)).all()


def test_a_histogram_holds_every_finite_value() -> None:
    counts, edges = histogram(np.array([0.0, 1.0, 2.0, 1e9, np.nan]))

    assert counts.sum() == 4
    assert len(edges) == len(counts) + 1


COLUMNS = st.one_of(
    st.lists(st.one_of(st.none(), st.sampled_from("abcdefghijklmnopqrstuvwxyz")), min_size=1, max_size=80),
    st.lists(st.one_of(st.none(), st.floats(-100, 100)), min_size=1, max_size=80),
    st.lists(st.booleans(), min_size=1, max_size=20),
)


@given(COLUMNS)
def test_every_point_is_in_exactly_one_segment(values: list[object]) -> None:
    column = pd.Series(values, dtype=None if isinstance(values[0], float | bool) else object)
    found = parts(column)

    assert (np.sum([mask for _, mask in found], axis=0) == 1).all()
    assert len({name for name, _ in found}) == len(found) or not isinstance(values[0], str)


def test_moments_are_cut_into_stretches_in_order() -> None:
    column = pd.Series(pd.date_range("2026-01-01", periods=40, tz="UTC"))
    names = [name for name, _ in parts(column)]

    assert len(names) == 4
    assert names[0].startswith("below 2026-01-1")
