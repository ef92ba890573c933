from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import AlgorithmSpec, ParameterSpec, SearchSpec
from penstock_jobs.training.candidates import candidates, canonical_text, check_search, combination, grid_size

Grid = Mapping[str, Sequence[object]]

GRID, FOREST = SearchSpec(), "sklearn.ensemble.RandomForestClassifier"
values = st.lists(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text(max_size=3), st.tuples(st.integers())
    ),
    min_size=1,
    max_size=5,
)
grids = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), values, max_size=3)


def algorithm(grid: Grid, name: str = "forest") -> AlgorithmSpec:
    return AlgorithmSpec(
        name=name,
        estimator=FOREST,
        parameters=tuple(ParameterSpec(name=key, values=tuple(items)) for key, items in grid.items()),
    )


def ranged(**bounds: Any) -> AlgorithmSpec:
    return AlgorithmSpec(name="forest", estimator=FOREST, parameters=(ParameterSpec(name="a", **bounds),))


@given(grids)
def test_a_grid_is_every_combination_once(grid: Grid) -> None:
    found = list(candidates(GRID, (algorithm(grid),)))
    identities = [one.identity for one in found]
    assert len(set(identities)) == len(identities) <= grid_size(algorithm(grid))
    every = [combination(algorithm(grid), index) for index in range(grid_size(algorithm(grid)))]
    assert {canonical_text(one.parameters) for one in found} == {canonical_text(one) for one in every}


@given(grids, grids)
def test_a_candidate_keeps_its_identity_and_seed_whatever_else_is_searched(grid: Grid, other: Grid) -> None:
    alone = {one.identity: one.seed for one in candidates(GRID, (algorithm(grid),))}
    among = {one.identity: one.seed for one in candidates(GRID, (algorithm(other, "other"), algorithm(grid)))}
    assert alone.items() <= among.items()


@given(grids)
def test_the_order_in_which_parameters_are_written_does_not_matter(grid: Grid) -> None:
    turned = dict(reversed(list(grid.items())))
    first = {one.identity for one in candidates(GRID, (algorithm(grid),))}
    assert first == {one.identity for one in candidates(GRID, (algorithm(turned),))}


@pytest.mark.parametrize("pair", [(1, 1.0), (1, True), (0, False), (1, "1"), (None, "None"), ((1,), 1)])
def test_values_that_an_estimator_tells_apart_are_two_candidates(pair: tuple[object, object]) -> None:
    assert len(list(candidates(GRID, (algorithm({"a": pair}),)))) == 2


def test_equal_combinations_collapse() -> None:
    assert len(list(candidates(GRID, (algorithm({"a": (1, 2, 1), "b": ("x", "x")}),)))) == 2


def test_indexes_count_on_across_algorithms() -> None:
    found = list(candidates(GRID, (algorithm({"a": (1, 2)}), algorithm({"a": (1, 2)}, "second"))))
    assert [one.index for one in found] == [0, 1, 2, 3]
    assert [one.algorithm for one in found] == ["forest", "forest", "second", "second"]


def test_a_huge_grid_is_made_one_candidate_at_a_time() -> None:
    huge = algorithm({name: tuple(range(1000)) for name in "abcdefgh"})
    assert len(list(islice(candidates(GRID, (huge,)), 100))) == 100


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_a_random_search_is_a_function_of_its_seed(seed: int, samples: int) -> None:
    search = SearchSpec(strategy="Random", samples=samples, seed=seed)
    algorithms = (ranged(low=0.0, high=1.0), algorithm({"a": (1, 2, 3)}, "second"))
    first, again = list(candidates(search, algorithms)), list(candidates(search, algorithms))
    assert first == again
    assert len({one.identity for one in first}) == samples


def test_more_samples_only_add_candidates() -> None:
    few, many = (
        [one.identity for one in candidates(SearchSpec(strategy="Random", samples=n), (ranged(low=0.0, high=1.0),))]
        for n in (10, 30)
    )
    assert many[:10] == few


def test_another_seed_is_another_sample() -> None:
    first, second = (
        [
            one.identity
            for one in candidates(SearchSpec(strategy="Random", samples=5, seed=n), (ranged(low=0.0, high=1.0),))
        ]
        for n in (0, 1)
    )
    assert first != second


def test_more_samples_than_combinations_are_all_combinations() -> None:
    search = SearchSpec(strategy="Random", samples=100)
    found = candidates(search, (algorithm({"a": (1, 2, 3)}), algorithm({"b": (1, 2)}, "second")))
    assert len(list(found)) == 5


@given(st.integers(-20, 20), st.integers(1, 20), st.integers(0, 1000))
def test_a_range_of_integers_holds_both_ends_and_nothing_beyond(low: int, width: int, seed: int) -> None:
    search = SearchSpec(strategy="Random", samples=width + 1, seed=seed)
    algorithms = (ranged(low=low, high=low + width, integer=True),)
    drawn = [one.parameters[0][1] for one in candidates(search, algorithms)]
    assert all(isinstance(value, int) and low <= value <= low + width for value in drawn)


def test_every_integer_of_a_range_is_drawn() -> None:
    search = SearchSpec(strategy="Random", samples=4)
    drawn = {one.parameters[0][1] for one in candidates(search, (ranged(low=1, high=4, integer=True),))}
    assert drawn == {1, 2, 3, 4}


@given(st.integers(0, 1000))
def test_a_logarithmic_range_keeps_its_bounds(seed: int) -> None:
    search = SearchSpec(strategy="Random", samples=20, seed=seed)
    drawn = [one.parameters[0][1] for one in candidates(search, (ranged(low=1e-4, high=1e2, log=True),))]
    assert all(1e-4 <= value <= 1e2 for value in drawn)


def test_a_logarithmic_range_gives_each_decade_its_share() -> None:
    search = SearchSpec(strategy="Random", samples=600)
    drawn = [one.parameters[0][1] for one in candidates(search, (ranged(low=1e-3, high=1e3, log=True),))]
    assert 60 < sum(value < 1e-2 for value in drawn) < 140


@pytest.mark.parametrize(
    ("search", "bounds", "sentence"),
    [
        (GRID, {"low": 0, "high": 1}, "a Grid search needs values"),
        (SearchSpec(strategy="Random", samples=2), {"low": 1, "high": 0}, "low must be below high"),
        (SearchSpec(strategy="Random", samples=2), {"low": 1}, "low must be below high"),
        (SearchSpec(strategy="Random", samples=2), {"low": 0, "high": 1, "log": True}, "must begin above 0"),
        (SearchSpec(strategy="Random", samples=2), {"low": 0, "high": 1, "values": (1,)}, "both values and a range"),
        (SearchSpec(strategy="Random"), {"values": (1,)}, "needs search.samples"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(
    search: SearchSpec, bounds: dict[str, object], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        check_search(search, (ranged(**bounds),))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(Refused, match="Two algorithms are called forest"):
        check_search(GRID, (algorithm({}), algorithm({})))
