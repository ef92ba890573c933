"""Torch networks as scikit-learn estimators: `estimator: penstock_jobs.networks.NeuralNetworkClassifier`.

Importing this package does not import torch: whoever trains only scikit-learn estimators neither needs it nor waits for
it. torch and skorch are imported when a network is first fitted, and their absence is then said in one sentence.
"""

from penstock_jobs.networks.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor

__all__ = ["NeuralNetworkClassifier", "NeuralNetworkRegressor"]
