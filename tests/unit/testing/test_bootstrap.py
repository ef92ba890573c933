"""The bootstrap: the same numbers from the same seed, units kept whole, and intervals that hold what they promise."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.specification import ScoringSpec
from penstock_jobs.scoring import Predictions, load_scorer
from penstock_jobs.testing import bootstrap
from penstock_jobs.testing.points import MOST_UNITS, Points, group_units, single_units, time_units
from penstock_jobs.testing.resampled import ResampledScore

Numbers = npt.NDArray[np.float64]


@given(units=st.integers(1, 50), seed=st.integers(0, 100))
def test_a_resample_takes_as_many_units_as_there_are(units: int, seed: int) -> None:
    drawn = np.concatenate(list(bootstrap.resample_counts(units, 7, seed)))

    assert drawn.shape == (7, units)
    assert (drawn.sum(axis=1) == units).all()


@given(units=st.integers(1, 40), width=st.integers(200_000, 4_000_000), seed=st.integers(0, 100))
def test_the_same_seed_gives_the_same_resamples_whatever_the_memory(units: int, width: int, seed: int) -> None:
    whole = np.concatenate(list(bootstrap.resample_counts(units, 50, seed)))
    chunked = np.concatenate(list(bootstrap.resample_counts(units, 50, seed, width)))

    assert (whole == chunked).all()


def interval_of(points: Points, predictions: Predictions, name: str = "neg_mean_absolute_error") -> bootstrap.Interval:
    scorer = load_scorer(ScoringSpec(name=name), "Regression", (), None)
    statistic = ResampledScore(scorer, points, predictions).statistic
    found = bootstrap.interval(bootstrap.distribution(statistic, points.units, 2000, seed=1), points.units, 0.95)
    assert found is not None
    return found


def test_points_of_one_group_are_no_more_evidence_than_one_point() -> None:
    generator = np.random.default_rng(0)
    truth, predicted = generator.normal(size=60), generator.normal(size=60)
    groups = [bytes([one]) for one in range(60)]
    single = interval_of(Points(truth, group_units(groups)), Predictions(predicted))
    tenfold = interval_of(
        Points(np.repeat(truth, 10), np.repeat(group_units(groups), 10)), Predictions(np.repeat(predicted, 10))
    )

    assert (tenfold.low, tenfold.high) == pytest.approx((single.low, single.high))


def mean_of(values: Numbers) -> Callable[[Numbers], Numbers]:
    return lambda counts: counts @ values / len(values)


def test_an_interval_of_95_percent_holds_the_truth_about_that_often() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        error = generator.exponential(size=40)
        found = bootstrap.distribution(mean_of(error), 40, 400, seed=3)
        ends = bootstrap.interval(found, 40, 0.95)
        assert ends is not None
        held += ends.low <= 1.0 <= ends.high

    assert 0.91 <= held / 400 <= 0.98


def test_each_bound_is_wrong_at_most_as_often_as_promised_where_points_are_few() -> None:
    generator = np.random.default_rng(2)
    above = below = 0
    for _ in range(600):
        difference = generator.standard_t(4, size=30)
        found = bootstrap.distribution(mean_of(difference), 30, 400, seed=3)
        ends = bootstrap.bounds(found, float(difference.mean()), 30, 0.95)
        assert ends is not None
        above, below = above + (ends.low > 0), below + (ends.high < 0)

    assert max(above, below) / 600 <= 0.05


def test_there_is_no_interval_of_one_unit_nor_where_the_score_has_no_number() -> None:
    values = np.ones(100)

    assert bootstrap.interval(values, 1, 0.95) is None
    assert bootstrap.interval(np.where(np.arange(100) < 15, np.nan, 1.0), 50, 0.95) is None
    assert bootstrap.interval(np.where(np.arange(100) < 5, np.nan, 1.0), 50, 0.95) is not None


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_stretches_of_time_never_part_points_of_one_moment_and_follow_in_order(moments: list[int]) -> None:
    times = np.array(moments).astype("datetime64[D]")
    units = time_units(times)

    for moment in set(moments):
        assert len(set(units[np.array(moments) == moment])) == 1
    ordered = units[np.argsort(times, kind="stable")]
    assert (np.diff(ordered) >= 0).all()
    assert set(units) == set(range(units.max() + 1))


def test_slow_scoring_functions_get_fewer_resamples_by_the_number_of_points_only() -> None:
    truth = np.arange(30.0)
    fast = ResampledScore(
        load_scorer(ScoringSpec(name="r2"), "Regression", (), None), Points(truth, np.arange(30)), Predictions(truth)
    )
    slow = ResampledScore(
        load_scorer(ScoringSpec(name="neg_median_absolute_error"), "Regression", (), None),
        Points(truth, np.arange(30)),
        Predictions(truth + 1),
    )

    assert fast.fast
    assert not slow.fast
    assert slow.resamples(1_000, 2_000) == fast.resamples(1_000, 2_000) == 2_000
    assert slow.resamples(100_000, 2_000) < fast.resamples(100_000, 2_000)


def test_of_very_many_points_blocks_of_neighbours_give_the_same_interval() -> None:
    generator = np.random.default_rng(4)
    points = 4 * MOST_UNITS
    truth, answers = generator.normal(size=points), Predictions(generator.normal(size=points))
    blocks = interval_of(Points(truth, single_units(points)), answers)
    single = interval_of(Points(truth, np.arange(points)), answers)

    assert len(set(single_units(points))) == MOST_UNITS
    assert (single_units(10) == np.arange(10)).all()
    assert blocks.high - blocks.low == pytest.approx(single.high - single.low, rel=0.1)
