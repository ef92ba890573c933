"""Scores of predicted classes: functions of how often each class was true, predicted, and both."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.testing.bootstrap import Statistic
from penstock_jobs.testing.fast.sums import ratio, statistic_of_sums
from penstock_jobs.testing.points import Points

Array = NDArray[np.float64]
ByClass = Callable[[Array, Array, Array], Array]
"""From how often a class was both, true, and predicted, each of any one shape, to its score."""

_MAXIMUM_CLASSES = 200


def _precision(both: Array, true: Array, predicted: Array) -> Array:
    return ratio(both, predicted)


def _recall(both: Array, true: Array, predicted: Array) -> Array:
    return ratio(both, true)


def _f1(both: Array, true: Array, predicted: Array) -> Array:
    return ratio(2 * both, true + predicted)


def _jaccard(both: Array, true: Array, predicted: Array) -> Array:
    return ratio(both, true + predicted - both)


def _average_binary(score: ByClass, positive: int, both: Array, true: Array, predicted: Array) -> Array:
    return score(both[:, positive], true[:, positive], predicted[:, positive])


def _average_micro(score: ByClass, both: Array, true: Array, predicted: Array) -> Array:
    return score(both.sum(axis=1), true.sum(axis=1), predicted.sum(axis=1))


def _average_macro(score: ByClass, both: Array, true: Array, predicted: Array) -> Array:
    seen = true + predicted > 0
    return ratio((score(both, true, predicted) * seen).sum(axis=1), seen.sum(axis=1))


def _average_macro_all(score: ByClass, both: Array, true: Array, predicted: Array) -> Array:
    return np.asarray(score(both, true, predicted).mean(axis=1))


def _average_weighted(score: ByClass, both: Array, true: Array, predicted: Array) -> Array:
    return ratio((score(both, true, predicted) * true).sum(axis=1), true.sum(axis=1))


def _accuracy(both: Array, true: Array, predicted: Array) -> Array:
    return np.asarray(both.sum(axis=1) / true.sum(axis=1))


def _balanced_accuracy(both: Array, true: Array, predicted: Array) -> Array:
    return ratio(_recall(both, true, predicted).sum(axis=1), (true > 0).sum(axis=1))


def _matthews(both: Array, true: Array, predicted: Array) -> Array:
    """R_k of J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient" (2004)."""
    total, right = true.sum(axis=1), both.sum(axis=1)
    above = right * total - (true * predicted).sum(axis=1)
    below = np.sqrt((total**2 - (predicted**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1)))
    return ratio(above, below)


def _combine_counts(
    combine: Callable[[Array, Array, Array], Array], points: Points, predictions: Predictions
) -> Statistic | None:
    classes = len(points.classes)
    if not 2 <= classes <= _MAXIMUM_CLASSES:
        return None
    names = np.asarray(points.classes)
    true = (points.truth[:, None] == names[None, :]).astype(np.float64)
    predicted = (predictions.labels[:, None] == names[None, :]).astype(np.float64)
    terms = np.hstack([true * predicted, true, predicted])

    def of(sums: Array) -> Array:
        return combine(sums[:, :classes], sums[:, classes : 2 * classes], sums[:, 2 * classes :])

    return statistic_of_sums(points, terms, of)


def _score_positive(score: ByClass, points: Points, predictions: Predictions) -> Statistic | None:
    if points.positive is None or len(points.classes) != 2:
        return None
    return _combine_counts(partial(_average_binary, score, points.classes.index(points.positive)), points, predictions)


LABELS: dict[str, tuple[Callable[[Points, Predictions], Statistic | None], ...]] = {
    "accuracy": (partial(_combine_counts, _accuracy),),
    "balanced_accuracy": (partial(_combine_counts, _balanced_accuracy),),
    "matthews_corrcoef": (partial(_combine_counts, _matthews),),
}
for _name, _score in {"precision": _precision, "recall": _recall, "f1": _f1, "jaccard": _jaccard}.items():
    _all, _seen, _by_support, _together = (
        partial(_combine_counts, partial(average, _score))
        for average in (_average_macro_all, _average_macro, _average_weighted, _average_micro)
    )
    LABELS[_name] = (partial(_score_positive, _score), _all, _seen, _by_support, _together)
    LABELS[f"{_name}_macro"] = (_all, _seen)
    LABELS[f"{_name}_weighted"] = (_by_support,)
    LABELS[f"{_name}_micro"] = (_together,)
