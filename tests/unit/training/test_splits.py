import random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.training.splits import (
    Rows,
    check_splits,
    find_missing_class,
    hash_folds,
    holdout_split,
    mix_draws,
    time_folds,
)

draws = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60).map(lambda one: np.array(one, dtype=np.uint64))
classified = draws.flatmap(
    lambda draw: st.tuples(
        st.just(np.unique(draw)), st.lists(st.integers(0, 3), min_size=len(draw), max_size=len(draw))
    )
).map(lambda both: (both[0], np.array(both[1][: len(both[0])])))
grouped = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=80).map(
    lambda both: (mix_draws(np.array([one for one, _ in both], dtype=np.uint64), 3), np.array([one for _, one in both]))
)
times = st.lists(st.integers(0, 50), min_size=8, max_size=60).map(lambda one: np.array(one, dtype=float))

Classified = tuple[npt.NDArray[np.uint64], npt.NDArray[Any]]
Grouped = Classified


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


@given(classified, st.integers(2, 10), st.integers(1, 3), st.randoms(use_true_random=False))
def test_the_same_rows_make_the_same_folds_in_whatever_order(
    rows_of: Classified, folds: int, repeats: int, order: random.Random
) -> None:
    draw, target = rows_of
    shuffled = np.array(order.sample(range(len(draw)), len(draw)), dtype=np.int64)
    before = hash_folds(draw, folds, repeats, target)
    after = hash_folds(draw[shuffled], folds, repeats, target[shuffled])
    for one, other in zip(before, after, strict=True):
        assert set(rows(one.score)) == set(shuffled[rows(other.score)])


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60), st.integers(2, 5), st.integers(0, 9))
def test_rows_with_one_draw_are_never_on_both_sides(groups: list[int], folds: int, every: int) -> None:
    draw = mix_draws(np.array(groups, dtype=np.uint64), 7)
    target = np.arange(len(draw)) % (every + 1)
    for one in hash_folds(draw, folds, 3, target):
        assert set(draw[one.fit]).isdisjoint(draw[one.score])


@given(classified, st.integers(2, 10))
def test_folds_differ_by_one_point_at_most_within_each_class_and_in_all(rows_of: Classified, folds: int) -> None:
    draw, target = rows_of
    scored = [target[rows(one.score)] for one in hash_folds(draw, folds, 1, target)]
    for name in set(target):
        counts = [int((fold == name).sum()) for fold in scored]
        assert max(counts) - min(counts) <= 1  # so none misses a class that has as many points as there are folds
    sizes = [len(fold) for fold in scored]
    assert max(sizes) - min(sizes) <= 1


@given(grouped, st.integers(2, 6))
def test_no_fold_is_empty_where_there_are_as_many_groups(rows_of: Grouped, folds: int) -> None:
    draw, target = rows_of
    scored = [rows(one.score) for one in hash_folds(draw, folds, 1, target)]
    if len(np.unique(draw)) >= folds:
        assert min(map(len, scored)) > 0


@given(grouped, st.integers(2, 6))
def test_no_fold_misses_the_rarest_class_of_which_there_are_as_many_groups(rows_of: Grouped, folds: int) -> None:
    draw, target = rows_of
    groups = {name: len(np.unique(draw[target == name])) for name in set(target)}
    rarest = min(groups, key=lambda name: groups[name])
    if groups[rarest] >= folds:
        for one in hash_folds(draw, folds, 2, target):
            assert rarest in target[rows(one.score)]


@given(grouped, st.integers(2, 6))
def test_no_fold_of_groups_is_larger_than_another_by_more_than_a_group(rows_of: Grouped, folds: int) -> None:
    draw, _ = rows_of
    largest = max(np.unique(draw, return_counts=True)[1])
    sizes = [len(rows(one.score)) for one in hash_folds(draw, folds, 1)]
    assert len(np.unique(draw)) < folds or max(sizes) - min(sizes) <= largest


@pytest.mark.parametrize("salt", range(20))
def test_few_rare_rows_of_many_are_in_every_fold_whatever_the_salt(salt: int) -> None:
    draw = mix_draws(np.arange(600, dtype=np.uint64), salt)
    target = np.where(np.arange(600) % 40 == 0, "rare", "usual")
    for one in hash_folds(draw, 5, 1, target):
        assert int((target[rows(one.score)] == "rare").sum()) == 3


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


def test_a_fold_with_nothing_of_a_class_to_score_is_named_with_the_class() -> None:
    target = np.array(["usual"] * 20 + ["rare"] * 2)
    splits = hash_folds(mix_draws(np.arange(22, dtype=np.uint64), 0), 3, 1, target)
    assert find_missing_class(splits, target, ("rare", "usual")) == "fold 3 of 3 has no point of class rare"
    assert find_missing_class(splits, target, ("usual",)) is None
