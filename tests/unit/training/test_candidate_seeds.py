"""The seeds of candidates: functions of the candidate and of the search's seed, and of nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract.specification import AlgorithmSpec, ParameterSpec, SearchSpec
from penstock_jobs.training.candidates import candidates

FOREST = AlgorithmSpec(
    name="forest",
    estimator="sklearn.ensemble.RandomForestClassifier",
    parameters=(ParameterSpec(name="max_depth", values=(2, 4, 8)),),
)


@given(seed=st.integers(0, 2**31 - 1))
def test_another_seed_of_the_search_is_another_seed_of_each_candidate_and_no_other_candidate(seed: int) -> None:
    first, second = (list(candidates(SearchSpec(seed=each), (FOREST,))) for each in (seed, seed + 1))

    assert [one.identity for one in first] == [one.identity for one in second]
    assert all(one.seed != other.seed for one, other in zip(first, second, strict=True))
    assert all(0 <= one.seed < 2**31 for one in first)
