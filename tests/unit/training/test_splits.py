import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.errors import Refused
from penstock_jobs.training.splits import check_splits, hash_folds, holdout_split, mixed, time_folds

draws = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60).map(lambda one: np.array(one, dtype=np.uint64))
times = st.lists(st.integers(0, 50), min_size=8, max_size=60).map(lambda one: np.array(one, dtype=float))


@given(draws, st.integers(2, 10), st.integers(1, 3))
def test_each_row_is_scored_once_in_each_repeat_and_never_where_it_is_fitted(draw, folds, repeats):
    splits = hash_folds(draw, folds, repeats)
    assert len(splits) == folds * repeats
    for repeat in range(repeats):
        scored = np.concatenate([one.score for one in splits[repeat * folds : (repeat + 1) * folds]])
        assert sorted(scored) == list(range(len(draw)))
    for one in splits:
        assert set(one.fit).isdisjoint(one.score)
        assert len(one.fit) + len(one.score) == len(draw)


@given(draws, draws, st.integers(2, 10))
def test_a_row_stays_in_its_fold_when_others_come(draw, others, folds):
    before = hash_folds(draw, folds, 2)
    after = hash_folds(np.concatenate([draw, others]), folds, 2)
    for one, more in zip(before, after, strict=True):
        assert set(one.score) == {place for place in more.score if place < len(draw)}


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60), st.integers(2, 5))
def test_rows_with_one_draw_are_never_on_both_sides(groups, folds):
    draw = mixed(np.array(groups, dtype=np.uint64), 7)
    for one in hash_folds(draw, folds, 3):
        assert set(draw[one.fit]).isdisjoint(draw[one.score])


def test_folds_are_of_nearly_equal_size():
    draw = mixed(np.arange(10_000, dtype=np.uint64), 0)
    sizes = [len(one.score) for one in hash_folds(draw, 5, 1)]
    assert max(sizes) - min(sizes) < 250


def test_repeats_divide_anew():
    draw = mixed(np.arange(1000, dtype=np.uint64), 0)
    splits = hash_folds(draw, 2, 2)
    assert 200 < len(np.intersect1d(splits[0].score, splits[2].score)) < 300  # 250 of 1000, were they independent


@given(times, st.integers(2, 5), st.integers(0, 5))
def test_in_time_order_nothing_is_fitted_that_comes_within_the_gap_before_what_is_scored(moments, folds, gap):
    for one in time_folds(moments, folds, gap):
        if len(one.fit) and len(one.score):
            assert moments[one.fit].max() < moments[one.score].min() - gap


@given(times, st.integers(2, 5))
def test_in_time_order_no_row_is_scored_twice(moments, folds):
    scored = np.concatenate([one.score for one in time_folds(moments, folds, 0)])
    assert len(scored) == len(set(scored))


def test_a_holdout_is_the_rows_that_follow_the_training_rows():
    (split,) = holdout_split(3, 2)
    rows = np.arange(5)
    assert (list(rows[split.fit]), list(rows[split.score])) == ([0, 1, 2], [3, 4])


def test_a_fold_that_misses_a_class_is_refused_by_name():
    with pytest.raises(Refused, match=r"trains on no point of class rare"):
        check_splits(holdout_split(2, 1), np.array(["a", "b", "rare"]), ("a", "b", "rare"))


def test_a_fold_without_points_is_refused():
    with pytest.raises(Refused, match="is scored on no point"):
        check_splits(holdout_split(3, 0), np.zeros(3), ())
