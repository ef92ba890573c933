import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.training.splits import Rows, check_splits, hash_folds, holdout_split, mix_draws, time_folds

draws = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60).map(lambda one: np.array(one, dtype=np.uint64))
times = st.lists(st.integers(0, 50), min_size=8, max_size=60).map(lambda one: np.array(one, dtype=float))


def rows(places: Rows) -> npt.NDArray[np.int64]:
    """Return the places that folds are made of; a holdout is two slices."""
    assert isinstance(places, np.ndarray)
    return places


@given(draws, st.integers(2, 10), st.integers(1, 3))
def test_each_row_is_scored_once_in_each_repeat_and_never_where_it_is_fitted(
    draw: npt.NDArray[np.uint64], folds: int, repeats: int
) -> None:
    splits = hash_folds(draw, folds, repeats)
    assert len(splits) == folds * repeats
    for repeat in range(repeats):
        scored = np.concatenate([rows(one.score) for one in splits[repeat * folds : (repeat + 1) * folds]])
        assert sorted(scored) == list(range(len(draw)))
    for one in splits:
        assert set(rows(one.fit)).isdisjoint(rows(one.score))
        assert len(rows(one.fit)) + len(rows(one.score)) == len(draw)


@given(draws, draws, st.integers(2, 10))
def test_a_row_stays_in_its_fold_when_others_come(
    draw: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64], folds: int
) -> None:
    before = hash_folds(draw, folds, 2)
    after = hash_folds(np.concatenate([draw, others]), folds, 2)
    for one, more in zip(before, after, strict=True):
        assert set(rows(one.score)) == {place for place in rows(more.score) if place < len(draw)}


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60), st.integers(2, 5))
def test_rows_with_one_draw_are_never_on_both_sides(groups: list[int], folds: int) -> None:
    draw = mix_draws(np.array(groups, dtype=np.uint64), 7)
    for one in hash_folds(draw, folds, 3):
        assert set(draw[one.fit]).isdisjoint(draw[one.score])


def test_folds_are_of_nearly_equal_size() -> None:
    draw = mix_draws(np.arange(10_000, dtype=np.uint64), 0)
    sizes = [len(rows(one.score)) for one in hash_folds(draw, 5, 1)]
    assert max(sizes) - min(sizes) < 250


def test_repeats_divide_anew() -> None:
    draw = mix_draws(np.arange(1000, dtype=np.uint64), 0)
    splits = hash_folds(draw, 2, 2)
    both = np.intersect1d(rows(splits[0].score), rows(splits[2].score))
    assert 200 < len(both) < 300  # 250 of 1000, were they independent


@given(times, st.integers(2, 5), st.integers(0, 5))
def test_in_time_order_nothing_is_fitted_that_comes_within_the_gap_before_what_is_scored(
    moments: npt.NDArray[np.float64], folds: int, gap: int
) -> None:
    for one in time_folds(moments, folds, gap):
        if len(rows(one.fit)) and len(rows(one.score)):
            assert moments[one.fit].max() < moments[one.score].min() - gap


@given(times, st.integers(2, 5))
def test_in_time_order_no_row_is_scored_twice(moments: npt.NDArray[np.float64], folds: int) -> None:
    scored = np.concatenate([rows(one.score) for one in time_folds(moments, folds, 0)])
    assert len(scored) == len(set(scored))


def test_a_holdout_is_the_rows_that_follow_the_training_rows() -> None:
    (split,) = holdout_split(3, 2)
    every = np.arange(5)
    assert (list(every[split.fit]), list(every[split.score])) == ([0, 1, 2], [3, 4])


def test_a_fold_that_misses_a_class_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"trains on no point of class rare"):
        check_splits(holdout_split(2, 1), np.array(["a", "b", "rare"]), ("a", "b", "rare"))


def test_a_fold_without_points_is_refused() -> None:
    with pytest.raises(Refused, match="is scored on no point"):
        check_splits(holdout_split(3, 0), np.zeros(3), ())
