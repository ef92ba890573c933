import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_jobs.models.answers import choose_classes


def test_the_most_probable_class_is_chosen_and_the_first_of_equals() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4], [0.25, 0.25, 0.5]])
    assert choose_classes(probabilities, ("a", "b", "c")).tolist() == ["b", "a", "c"]


def test_votes_split_evenly_do_not_depend_on_the_last_bit() -> None:
    split = np.array([[0.5, 0.5], [0.5 - 1e-8, 0.5 + 1e-8], [0.49, 0.51]])
    assert choose_classes(split, ("no", "yes")).tolist() == ["no", "no", "yes"]


def test_a_probability_that_was_rounded_below_the_threshold_still_reaches_it() -> None:
    rounded = np.float64(np.float32(0.3)) - 1e-8
    assert choose_classes(np.array([[1 - rounded, rounded]]), ("no", "yes"), "yes", 0.3).tolist() == ["yes"]


def test_below_the_threshold_the_most_probable_of_the_others_is_chosen() -> None:
    probabilities = np.array([[0.1, 0.7, 0.2], [0.1, 0.3, 0.6]])
    assert choose_classes(probabilities, ("a", "b", "c"), "b", 0.8).tolist() == ["c", "c"]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.001, 0.999))
def test_a_lower_threshold_never_predicts_fewer_positives(positives: list[float], threshold: float) -> None:
    probabilities = np.array([[1 - value, value] for value in positives])
    chosen = [choose_classes(probabilities, (0, 1), 1, limit).sum() for limit in (threshold, threshold / 2)]
    assert chosen[1] >= chosen[0]
