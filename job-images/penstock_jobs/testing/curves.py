"""The curves of two classes, and of predicted numbers, as pairs to draw. Weights count where there are any."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LONGEST = 400


@dataclass(frozen=True)
class ThresholdCurve:
    """What becomes of each threshold on the probability of the positive class, from high to low, all of one shape.

    `selected` is the share of all points at or above the threshold.
    """

    threshold: Array
    precision: Array
    recall: Array
    false_positive_rate: Array
    selected: Array


@dataclass(frozen=True)
class Bin:
    """The points whose probability is in a range: how many, their mean probability, and the share that is positive."""

    low: float
    high: float
    points: int
    mean: float
    share: float
    share_low: float
    share_high: float


def threshold_curve(positive: NDArray[np.bool_], response: Array, weight: Array | None = None) -> ThresholdCurve | None:
    """Return precision, recall and false positive rate at each distinct response; None where one class is missing."""
    weights = np.ones(len(response)) if weight is None else weight
    order = np.argsort(-response, kind="stable")
    last = np.flatnonzero(np.append(np.diff(response[order]) != 0, True))
    found = np.cumsum((weights * positive)[order])[last]
    wrong = np.cumsum((weights * ~positive)[order])[last]
    if len(last) == 0 or found[-1] == 0 or wrong[-1] == 0:
        return None
    kept = _thin_positions(len(last))
    return ThresholdCurve(
        threshold=response[order][last][kept],
        precision=(found / (found + wrong))[kept],
        recall=(found / found[-1])[kept],
        false_positive_rate=(wrong / wrong[-1])[kept],
        selected=((found + wrong) / (found[-1] + wrong[-1]))[kept],
    )


def reliability(positive: NDArray[np.bool_], probability: Array, bins: int = 10) -> tuple[Bin, ...]:
    """Return how often the positive class came true, by predicted probability.

    Bins hold about equally many points. The intervals are Wilson's at 95 % (E. B. Wilson, JASA 22, 1927).
    """
    order = np.argsort(probability, kind="stable")
    found = []
    for part in np.array_split(order, max(1, min(bins, len(order) // 5))):
        if len(part):
            share, (low, high) = float(positive[part].mean()), wilson_interval(int(positive[part].sum()), len(part))
            ends = float(probability[part[0]]), float(probability[part[-1]])
            found.append(Bin(*ends, len(part), float(probability[part].mean()), share, low, high))
    return tuple(found)


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's score interval of a share."""
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def confusion_counts(truth: NDArray[Any], labels: NDArray[Any], classes: tuple[object, ...]) -> NDArray[np.int64]:
    """Return how many points of each class (rows) were given each class (columns), shape (classes, classes)."""
    names = np.asarray(classes)
    true = (np.asarray(truth)[:, None] == names[None, :]).astype(np.int64)
    given = (np.asarray(labels)[:, None] == names[None, :]).astype(np.int64)
    return np.asarray(true.T @ given)


def histogram(values: Array, bins: int = 30) -> tuple[Array, Array]:
    """Return how many values are in each bin, and the edges; the extreme 1 % at both ends are in the last bins."""
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(finite, low, high), bins=bins, range=(float(low), float(high)))
    return counts.astype(np.float64), edges


def _thin_positions(count: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, _LONGEST)).round().astype(np.intp))
