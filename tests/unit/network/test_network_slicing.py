"""The slice that early stopping watches, and the batches: rules that hold for every size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.networks.slicing import stopping_slice

SHARES = st.floats(0.01, 0.99)
SEEDS = st.integers(0, 2**31 - 1)


@given(SHARES, st.integers(2, 200), SEEDS)
def test_each_row_is_either_fitted_or_watched_and_neither_side_is_empty(share: float, count: int, seed: int) -> None:
    fitted, watched = stopping_slice(share, count, seed)
    assert sorted([*fitted, *watched]) == list(range(count))
    assert len(fitted) > 0
    assert len(watched) > 0


@given(SHARES, st.lists(st.integers(0, 4), min_size=2, max_size=200), SEEDS)
def test_early_stopping_takes_no_class_out_of_the_fit(share: float, classes: list[int], seed: int) -> None:
    codes = np.array(classes)
    if max(np.bincount(codes)) < 2:
        return
    fitted, watched = stopping_slice(share, len(codes), seed, codes)
    assert set(codes[fitted]) == set(codes)
    assert sorted([*fitted, *watched]) == list(range(len(codes)))


@given(SHARES, st.integers(2, 200), SEEDS)
def test_the_slice_is_a_function_of_the_seed(share: float, count: int, seed: int) -> None:
    np.testing.assert_array_equal(stopping_slice(share, count, seed)[1], stopping_slice(share, count, seed)[1])


def test_each_class_gives_its_share() -> None:
    codes = np.repeat([0, 1], [900, 100])
    _, watched = stopping_slice(0.2, 1000, 0, codes)
    np.testing.assert_array_equal(np.bincount(codes[watched]), [180, 20])


@pytest.mark.torch
@given(st.integers(1, 500), st.integers(1, 64), st.booleans())
def test_batches_cover_every_row_once_in_order(count: int, size: int, whole: bool) -> None:
    bounds = pytest.importorskip("penstock_jobs.networks.batches", exc_type=ImportError).bounds

    ends = list(bounds(count, size, whole=whole))
    assert [row for start, end in ends for row in range(start, end)] == list(range(count))


@pytest.mark.torch
@given(st.integers(2, 500), st.integers(2, 64))
def test_no_batch_that_is_fitted_has_a_single_row(count: int, size: int) -> None:
    bounds = pytest.importorskip("penstock_jobs.networks.batches", exc_type=ImportError).bounds

    assert all(end - start > 1 for start, end in bounds(count, size, whole=True))
