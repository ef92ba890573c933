"""Scores of the order of the points: sorted once, then cumulated for all resamples."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Counts, Statistic
from penstock_jobs.testing.points import Points, Positions

Array = NDArray[np.float64]
Area = Callable[[Array, Array], Array]
"""From the weight of the positive and of the negative points at each distinct response, falling, to the area."""

_MAXIMUM_CLASSES = 30


def _roc_area(positive: Array, negative: Array) -> Array:
    """The share of pairs that are in order, ties counting half (Mann and Whitney)."""
    lower = negative.sum(axis=1, keepdims=True) - np.cumsum(negative, axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((positive * (lower + negative / 2)).sum(axis=1) / pairs)


def _average_precision(positive: Array, negative: Array) -> Array:
    found = np.cumsum(positive, axis=1)
    total = found + np.cumsum(negative, axis=1)
    precision = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((positive * precision).sum(axis=1) / found[:, -1])


def _area_statistic(area: Area, points: Points, response: Array, positive: NDArray[np.bool_]) -> Statistic:
    order = np.argsort(-response, kind="stable")
    starts = np.flatnonzero(np.diff(response[order], prepend=np.inf))
    unit: Positions = points.unit[order]
    positives = np.where(positive, points.weights, 0.0)[order]
    negatives = np.where(positive, 0.0, points.weights)[order]

    def statistic(counts: Counts) -> Array:
        taken = counts[:, unit]
        return area(
            np.add.reduceat(taken * positives, starts, axis=1), np.add.reduceat(taken * negatives, starts, axis=1)
        )

    return statistic


def _area_of_positive(area: Area, points: Points, predictions: Predictions) -> Statistic | None:
    if len(points.classes) != 2:
        return None
    column = 1 if points.positive is None else points.classes.index(points.positive)
    if predictions.probabilities is not None:
        response = predictions.probabilities[:, column]
    elif predictions.decision is not None and predictions.decision.ndim == 1:
        response = predictions.decision if column == 1 else -predictions.decision
    else:
        return None
    return _area_statistic(area, points, response, points.truth == points.classes[column])


def _one_versus_rest(weighted: bool, points: Points, predictions: Predictions) -> Statistic | None:
    classes = points.classes
    if not 3 <= len(classes) <= _MAXIMUM_CLASSES or predictions.probabilities is None:
        return None
    ours = [
        _area_statistic(_roc_area, points, predictions.probabilities[:, column], points.truth == name)
        for column, name in enumerate(classes)
    ]
    weight_of = np.zeros((points.units, len(classes)))
    np.add.at(weight_of, points.unit, (points.truth[:, None] == np.asarray(classes)) * points.weights[:, None])

    def statistic(counts: Counts) -> Array:
        areas = np.column_stack([one(counts) for one in ours])
        weights = counts @ weight_of if weighted else np.ones(areas.shape)
        return np.asarray((areas * weights).sum(axis=1) / weights.sum(axis=1))

    return statistic


RANKING = {
    "roc_auc": (
        partial(_area_of_positive, _roc_area),
        partial(_one_versus_rest, False),
        partial(_one_versus_rest, True),
    ),
    "roc_auc_ovr": (partial(_one_versus_rest, False),),
    "roc_auc_ovr_weighted": (partial(_one_versus_rest, True),),
    "average_precision": (partial(_area_of_positive, _average_precision),),
}
