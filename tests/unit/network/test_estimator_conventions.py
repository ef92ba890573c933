"""The networks are scikit-learn estimators: scikit-learn's own checks, and what Penstock relies on beside them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from penstock_jobs.training.network import NeuralNetworkClassifier, NeuralNetworkRegressor

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

_SMALL = {"hidden_layer_sizes": (16,), "learning_rate": 0.02, "epochs": 60, "batch_size": 16, "device": "cpu"}


def _expected_to_fail(estimator):
    reason = "A row of weight 2 is one row of a batch, and a row given twice is two: stochastic gradients differ."
    return {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }


@parametrize_with_checks(
    [NeuralNetworkClassifier(**_SMALL), NeuralNetworkRegressor(**_SMALL)], expected_failed_checks=_expected_to_fail
)
def test_a_network_keeps_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)
