"""The networks are scikit-learn estimators: scikit-learn's own checks, and what Penstock relies on beside them."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

_SMALL: dict[str, Any] = {
    "hidden_layer_sizes": (16,),
    "learning_rate": 0.02,
    "epochs": 60,
    "batch_size": 16,
    "device": "cpu",
}


def _expected_to_fail(estimator: NeuralNetworkClassifier | NeuralNetworkRegressor) -> dict[str, str]:
    reason = "A row of weight 2 is one row of a batch, and a row given twice is two: stochastic gradients differ."
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    [NeuralNetworkClassifier(**_SMALL), NeuralNetworkRegressor(**_SMALL)], expected_failed_checks=_expected_to_fail
)
def test_a_network_keeps_the_conventions_of_scikit_learn(
    estimator: NeuralNetworkClassifier | NeuralNetworkRegressor, check: Callable[[object], object]
) -> None:
    check(estimator)
