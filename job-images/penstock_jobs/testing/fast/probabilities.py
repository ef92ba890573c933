"""Scores of probabilities that are means over the points."""

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Statistic
from penstock_jobs.testing.fast.sums import statistic_of_sums
from penstock_jobs.testing.points import Points

Array = NDArray[np.float64]


def _minus_mean(sums: Array) -> Array:
    return -sums[:, 0] / sums[:, 1]


def _mean_of(points: Points, losses: Array) -> Statistic:
    return statistic_of_sums(points, np.column_stack([losses, np.ones(len(points))]), _minus_mean)


def _log_loss(points: Points, predictions: Predictions) -> Statistic | None:
    if predictions.probabilities is None or not points.classes:
        return None
    probabilities = predictions.probabilities
    smallest = np.finfo(probabilities.dtype).eps
    clipped = np.clip(probabilities, smallest, 1 - smallest)
    return _mean_of(points, -np.log((clipped * _one_hot(points)).sum(axis=1)))


def _brier(points: Points, predictions: Predictions) -> Statistic | None:
    """Squared distance to what was true; halved for two classes, where it is then about the positive class alone."""
    if predictions.probabilities is None or not points.classes:
        return None
    losses = ((predictions.probabilities - _one_hot(points)) ** 2).sum(axis=1)
    return _mean_of(points, losses / 2 if len(points.classes) == 2 else losses)


def _one_hot(points: Points) -> Array:
    return np.asarray(points.truth[:, None] == np.asarray(points.classes)[None, :], dtype=np.float64)


PROBABILITIES = {"neg_log_loss": (_log_loss,), "neg_brier_score": (_brier,)}
