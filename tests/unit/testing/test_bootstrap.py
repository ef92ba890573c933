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
    found = bootstrap.resample(statistic, scorer.score(points.truth, predictions), points.units, 2000, seed=1)
    return bootstrap.interval(found, 0.95)


def test_points_of_one_group_are_no_more_evidence_than_one_point() -> None:
    generator = np.random.default_rng(0)
    truth, predicted = generator.normal(size=60), generator.normal(size=60)
    groups = list(range(60))
    single = interval_of(Points(truth, group_units(groups).of_points), Predictions(predicted))
    tenfold = interval_of(
        Points(np.repeat(truth, 10), np.repeat(group_units(groups).of_points, 10)),
        Predictions(np.repeat(predicted, 10)),
    )

    assert (tenfold.low, tenfold.high) == pytest.approx((single.low, single.high))


def mean_of(values: Numbers) -> Callable[[Numbers], Numbers]:
    return lambda counts: counts @ values / len(values)


def test_an_interval_of_95_percent_holds_the_truth_about_that_often() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        error = generator.exponential(size=40)
        found = bootstrap.resample(mean_of(error), float(error.mean()), 40, 400, seed=3)
        ends = bootstrap.interval(found, 0.95)
        held += ends.low <= 1.0 <= ends.high

    assert 0.91 <= held / 400 <= 0.98


def test_each_bound_is_wrong_at_most_as_often_as_promised_where_points_are_few() -> None:
    generator = np.random.default_rng(2)
    above = below = 0
    for _ in range(600):
        difference = generator.standard_t(4, size=30)
        found = bootstrap.resample(mean_of(difference), float(difference.mean()), 30, 400, seed=3)
        ends = bootstrap.bounds(found, 0.95)
        above, below = above + (ends.low > 0), below + (ends.high < 0)

    assert max(above, below) / 600 <= 0.05


@pytest.mark.parametrize("groups", [20, 40])
def test_each_bound_is_wrong_at_most_as_often_as_promised_where_groups_are_few_and_uneven(groups: int) -> None:
    """Student's bounds by the number of groups are wrong in about 6 % here."""
    generator = np.random.default_rng(3)
    wrong = np.zeros(2)
    for _ in range(600):
        size = np.ceil(generator.lognormal(0.9, 1.1, groups))
        total = size * generator.normal(size=groups)

        def mean(counts: Numbers, total: Numbers = total, size: Numbers = size) -> Numbers:
            return np.asarray((counts @ total) / (counts @ size))

        found = bootstrap.resample(mean, float(total.sum() / size.sum()), groups, 400, seed=3)
        ends = bootstrap.bounds(found, 0.95)
        wrong += [ends.low > 0, ends.high < 0]

    assert wrong.sum() / 1200 <= 0.05


def resampling_of(values: Numbers, influence: Numbers) -> bootstrap.Resampling:
    return bootstrap.Resampling(float(np.nanmean(values)), values, len(influence), influence)


def test_there_is_no_interval_of_one_unit_nor_where_the_score_has_no_number() -> None:
    values, influence = np.linspace(0, 1, 100), np.random.default_rng(0).normal(size=50)

    with pytest.raises(bootstrap.NoInterval, match="belong together"):
        bootstrap.interval(resampling_of(values, influence[:1]), 0.95)
    with pytest.raises(bootstrap.NoInterval, match="no number"):
        bootstrap.interval(resampling_of(np.where(np.arange(100) < 15, np.nan, values), influence), 0.95)
    assert bootstrap.interval(resampling_of(np.where(np.arange(100) < 5, np.nan, values), influence), 0.95)


def test_an_interval_never_collapses_to_a_point_where_all_resamples_agree() -> None:
    with pytest.raises(bootstrap.NoInterval, match="same score"):
        bootstrap.interval(resampling_of(np.ones(100), np.zeros(50)), 0.95)


def test_a_score_that_hangs_on_one_point_has_no_interval() -> None:
    scorer = load_scorer(ScoringSpec(name="neg_max_error"), "Regression", (), None)
    truth, answers = np.zeros(200), Predictions(np.arange(200.0))
    statistic = ResampledScore(scorer, Points(truth, np.arange(200)), answers).statistic

    with pytest.raises(bootstrap.NoInterval, match="one point"):
        bootstrap.interval(bootstrap.resample(statistic, -199.0, 200, 400, seed=1), 0.95)


def test_a_few_large_groups_make_the_bounds_wider_than_their_number_says() -> None:
    values, even = np.random.default_rng(0).normal(size=400), np.random.default_rng(1).normal(size=60)
    uneven = even * np.where(np.arange(60) < 3, 20, 1)
    ends = [bootstrap.bounds(resampling_of(values, influence), 0.95) for influence in (even, uneven)]

    assert ends[1].high - ends[1].low > 1.3 * (ends[0].high - ends[0].low)


@given(
    low=st.sampled_from([0.0, -1.0, -np.inf]),
    estimate=st.floats(0.01, 0.99),
    spread=st.floats(0.01, 3),
)
def test_an_interval_holds_the_score_and_stays_within_its_range(low: float, estimate: float, spread: float) -> None:
    generator = np.random.default_rng(0)
    influence = generator.normal(size=40) * spread
    found = bootstrap.Resampling(
        estimate, np.clip(estimate + generator.normal(size=400) * spread, low, 1), 40, influence
    )
    ends = bootstrap.interval(found, 0.95, low, 1.0)

    assert low <= ends.low < estimate < ends.high <= 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_stretches_of_time_never_part_points_of_one_moment_and_follow_in_order(moments: list[int]) -> None:
    times = np.array(moments).astype("datetime64[D]")
    units = time_units(times).of_points

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
    blocks = interval_of(Points(truth, single_units(points).of_points), answers)
    single = interval_of(Points(truth, np.arange(points)), answers)

    assert len(set(single_units(points).of_points)) == MOST_UNITS
    assert (single_units(10).of_points == np.arange(10)).all()
    assert blocks.high - blocks.low == pytest.approx(single.high - single.low, rel=0.1)
