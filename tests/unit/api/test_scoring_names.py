"""The list of scoring functions is scikit-learn's own."""

from sklearn.metrics import get_scorer, get_scorer_names

from penstock.api.scoring_names import CLASSIFICATION, CLUSTERING, REGRESSION, task_of


def test_the_names_are_those_of_scikit_learn() -> None:
    assert set(get_scorer_names()) == CLASSIFICATION | REGRESSION | CLUSTERING


def test_the_task_of_a_scoring_is_that_of_its_module() -> None:
    for name in REGRESSION | CLASSIFICATION:
        module = get_scorer(name)._score_func.__module__
        assert task_of(name) == ("Regression" if "_regression" in module else "Classification")
