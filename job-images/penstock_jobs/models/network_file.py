"""The network inside a fitted estimator, and its files beside `model.onnx`: weights and architecture, no pickle."""

import sys
from typing import TYPE_CHECKING, Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

if TYPE_CHECKING:
    from penstock_jobs.networks.base import NeuralNetwork


def find_network(estimator: Any) -> "NeuralNetwork | None":
    """Return the torch network that a fitted estimator ends in, inside Pipelines and calibration, or None."""
    if "torch" not in sys.modules:  # no network was ever fitted in this process
        return None
    from penstock_jobs.networks.base import NeuralNetwork

    while not isinstance(estimator, NeuralNetwork):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif isinstance(estimator, CalibratedClassifierCV) and len(estimator.calibrated_classifiers_) == 1:
            estimator = estimator.calibrated_classifiers_[0].estimator
        else:
            return None
    return estimator


def network_files(estimator: Any) -> dict[str, bytes]:
    """Return `network.safetensors` and `network.json` of the network in a fitted estimator; nothing where none is."""
    network = find_network(estimator)
    if network is None:
        return {}
    from penstock_jobs.networks.saving import dump

    return dump(network)
