"""Scores of predicted numbers: functions of sums of errors and of squares."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Statistic
from penstock_jobs.testing.fast.sums import statistic_of_sums
from penstock_jobs.testing.points import Points

Array = NDArray[np.float64]
Loss = Callable[[Array, Array], Array]


def _square_loss(truth: Array, predicted: Array) -> Array:
    return (truth - predicted) ** 2


def _absolute_loss(truth: Array, predicted: Array) -> Array:
    return np.abs(truth - predicted)


def _relative_loss(truth: Array, predicted: Array) -> Array:
    return np.abs(truth - predicted) / np.maximum(np.abs(truth), np.finfo(np.float64).eps)


def _square_log_loss(truth: Array, predicted: Array) -> Array:
    return (np.log1p(truth) - np.log1p(predicted)) ** 2


def _mean_loss(loss: Loss, root: bool, points: Points, predictions: Predictions) -> Statistic | None:
    if points.classes:
        return None
    with np.errstate(invalid="ignore"):
        losses = loss(points.truth.astype(np.float64), predictions.labels.astype(np.float64))

    def of(sums: Array) -> Array:
        mean = sums[:, 0] / sums[:, 1]
        return -np.sqrt(mean) if root else -mean

    return statistic_of_sums(points, np.column_stack([losses, np.ones(len(points))]), of)


def _share_of_variance(about_mean: bool, points: Points, predictions: Predictions) -> Statistic | None:
    """R squared, or (about the mean of the errors) explained variance; sums are centred, so that none is lost."""
    if points.classes:
        return None
    truth = points.truth.astype(np.float64)
    error = truth - predictions.labels.astype(np.float64)
    centred = truth - truth.mean()
    terms = np.column_stack([np.ones(len(points)), centred, centred**2, error, error**2])

    def of(sums: Array) -> Array:
        total, first, second, error_first, error_second = sums.T
        around = error_second - error_first**2 / total if about_mean else error_second
        return np.asarray(1 - around / (second - first**2 / total))

    return statistic_of_sums(points, terms, of)


ERRORS = {
    "neg_mean_squared_error": (partial(_mean_loss, _square_loss, False),),
    "neg_root_mean_squared_error": (partial(_mean_loss, _square_loss, True),),
    "neg_mean_absolute_error": (partial(_mean_loss, _absolute_loss, False),),
    "neg_mean_absolute_percentage_error": (partial(_mean_loss, _relative_loss, False),),
    "neg_mean_squared_log_error": (partial(_mean_loss, _square_log_loss, False),),
    "neg_root_mean_squared_log_error": (partial(_mean_loss, _square_log_loss, True),),
    "r2": (partial(_share_of_variance, False),),
    "explained_variance": (partial(_share_of_variance, True),),
}
