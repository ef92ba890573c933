"""Scores of the order of the points: sorted once, then cumulated for all resamples."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Counts, Statistic
from penstock_jobs.testing.points import Points, Positions

Array = NDArray[np.float64]
Area = Callable[[Points, Array, NDArray[np.bool_]], Statistic]
"""From the points, the response that ranks them, and which of them are positive, to the area under a curve."""

_MAXIMUM_CLASSES = 30


def _roc_area(points: Points, response: Array, positive: NDArray[np.bool_]) -> Statistic:
    """The share of pairs that are in order, ties counting half (Mann and Whitney).

    For each positive point, the weight of the negative points below it, and of those at most at it: both are read off
    one running sum over the negative points, so that each point is gathered once for each resample.
    """
    upper, lower = _sorted_places(response, positive), _sorted_places(response, ~positive)
    below, at_most = (np.searchsorted(response[lower], response[upper], side) for side in ("left", "right"))

    def statistic(counts: Counts) -> Array:
        mine = _take_weights(counts, points, upper)
        sums = np.zeros((len(counts), len(lower) + 1))
        np.cumsum(_take_weights(counts, points, lower), axis=1, out=sums[:, 1:])
        pairs = mine.sum(axis=1) * sums[:, -1]
        inside = np.take(sums, below, axis=1)
        inside += np.take(sums, at_most, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.einsum("ij,ij->i", mine, inside) / 2 / pairs)

    return statistic


def _precision_area(points: Points, response: Array, positive: NDArray[np.bool_]) -> Statistic:
    """Average precision: precision at each distinct response, weighted by the recall that it adds."""
    order = np.argsort(-response, kind="stable")
    starts = np.flatnonzero(np.diff(response[order], prepend=np.inf))
    mask = positive[order]

    def statistic(counts: Counts) -> Array:
        weights = _take_weights(counts, points, order)
        total = np.cumsum(np.add.reduceat(weights, starts, axis=1), axis=1)
        weights *= mask
        gained = np.add.reduceat(weights, starts, axis=1)
        found = np.cumsum(gained, axis=1)
        precision = np.divide(found, total, out=np.zeros_like(found), where=total > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((gained * precision).sum(axis=1) / found[:, -1])

    return statistic


def _sorted_places(response: Array, chosen: NDArray[np.bool_]) -> Positions:
    places = np.flatnonzero(chosen)
    return np.asarray(places[np.argsort(response[places], kind="stable")])


def _take_weights(counts: Counts, points: Points, places: Positions) -> Array:
    """Return the weight of each of these points in each resample, shape (resamples, places)."""
    taken = np.take(counts, points.unit[places], axis=1)
    if points.weight is not None:
        taken *= points.weight[places]
    return taken


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
    return area(points, response, np.asarray(points.truth == points.classes[column]))


def _one_versus_rest(weighted: bool, points: Points, predictions: Predictions) -> Statistic | None:
    classes = points.classes
    if not 3 <= len(classes) <= _MAXIMUM_CLASSES or predictions.probabilities is None:
        return None
    ours = [
        _roc_area(points, predictions.probabilities[:, column], np.asarray(points.truth == name))
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
    "average_precision": (partial(_area_of_positive, _precision_area),),
}
