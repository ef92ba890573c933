"""How well one feature alone gives the target: learned on half of a sample, and measured on the other half.

Values are put into bins without a look at the target, so that a text or number that is each row's own tells nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 64
_ROWS_OF_BIN = 16
_LEAST_ROWS = 60
_LEAST_OF_CLASS = 5
_MOST_CLASSES = 20


def classes_told(feature: NDArray[Any], target: NDArray[Any]) -> float | None:
    """Return the least AUC over the classes, each against the rest; None where there are too few rows to say."""
    names, codes = np.unique(target.astype(str), return_inverse=True)
    if len(codes) < _LEAST_ROWS or not 2 <= len(names) <= _MOST_CLASSES:
        return None
    bins, number = _bins(feature)
    learned, measured = _halves(len(bins))
    found = []
    for code in range(len(names)):
        one = codes == code
        if min(one[learned].sum(), one[measured].sum()) < _LEAST_OF_CLASS:
            continue
        prior = one[learned].mean()
        rates = (np.bincount(bins[learned], one[learned], number) + prior) / (
            np.bincount(bins[learned], minlength=number) + 1
        )
        found.append(max(_auc(rates[bins[measured]], one[measured]), _auc_of_order(feature, one)))
    return min(found) if len(found) >= 2 or (found and len(names) == 2) else None


def amount_told(feature: NDArray[Any], target: NDArray[Any]) -> float | None:
    """Return the share of the target's variance that the feature explains; None where there are too few rows."""
    finite = np.isfinite(target)
    feature, target = feature[finite], target[finite]
    if len(target) < _LEAST_ROWS or np.ptp(target) == 0:
        return None
    bins, number = _bins(feature)
    learned, measured = _halves(len(bins))
    prior = target[learned].mean()
    means = (np.bincount(bins[learned], target[learned], number) + prior) / (
        np.bincount(bins[learned], minlength=number) + 1
    )
    spread = float(((target[measured] - target[measured].mean()) ** 2).sum())
    explained = 1 - float(((target[measured] - means[bins[measured]]) ** 2).sum()) / spread if spread else 0.0
    return max(explained, _squared_correlation(feature, target))


def _squared_correlation(feature: NDArray[Any], target: NDArray[Any]) -> float:
    if feature.dtype == object:
        return 0.0
    there = np.isfinite(feature)
    if there.sum() < max(_LEAST_ROWS, len(feature) // 2) or min(np.ptp(feature[there]), np.ptp(target[there])) == 0:
        return 0.0
    return float(np.corrcoef(feature[there], target[there])[0, 1] ** 2)


def _halves(rows: int) -> tuple[slice, slice]:
    return slice(0, rows, 2), slice(1, rows, 2)


def _bins(feature: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return the number of the bin of each row, and how many bins there are; nulls have one of their own."""
    if feature.dtype == object:
        numbers: dict[str | None, int] = {}
        codes = np.fromiter((numbers.setdefault(value, len(numbers)) for value in feature), dtype=np.int64)
        return codes, len(numbers)
    null = np.isnan(feature)
    there = feature[~null]
    found = np.unique(there)
    most = min(_BINS, max(_ROWS_OF_BIN, len(there) // _ROWS_OF_BIN))
    edges = found if len(found) <= most else np.unique(np.quantile(there, np.arange(1, most) / most, method="lower"))
    codes = np.searchsorted(edges, feature, side="left")
    codes[null] = len(edges) + 1
    return codes.astype(np.int64), len(edges) + 2


def _auc_of_order(feature: NDArray[Any], positive: NDArray[np.bool_]) -> float:
    """Return the AUC of the numbers themselves, in whichever direction; nothing is learned, so all rows count."""
    if feature.dtype == object or np.isnan(feature).any():
        return 0.0
    found = _auc(feature, positive)
    return max(found, 1 - found)


def _auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve, ties counted half."""
    _, codes = np.unique(scores, return_inverse=True)
    ours = np.bincount(codes, positive)
    theirs = np.bincount(codes, ~positive)
    below = np.concatenate([[0.0], np.cumsum(theirs)[:-1]])
    return float((ours * (below + theirs / 2)).sum() / (ours.sum() * theirs.sum()))
