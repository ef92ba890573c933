"""What a Model answers, and the one rule by which a class is chosen from probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Class = str | int | bool | float

# Probabilities nearer than this are equal: a forest's votes are often split evenly, and what a file sums in single
# precision must not decide then. scikit-learn takes the first class of equals too.
EQUAL = 1e-6


@dataclass(frozen=True)
class ModelPredictions:
    """The answer to some rows.

    Attributes:
        labels: the predicted class, or the predicted number; shape (rows,).
        probabilities: shape (rows, classes), in the order of the manifest's classes; None for regression and for
            classifiers that have none.
        decision: the decision function of a classifier without probabilities, shape (rows,) or (rows, classes).
    """

    labels: NDArray[Any]
    probabilities: NDArray[np.float64] | None = None
    decision: NDArray[np.float64] | None = None


def choose_classes(
    probabilities: NDArray[np.float64],
    classes: Sequence[Class],
    positive: Class | None = None,
    threshold: float | None = None,
) -> NDArray[Any]:
    """Return the class of each row.

    Without a threshold it is the most probable one (the first of equals). With one it is the positive class wherever
    its probability is at least the threshold, and otherwise the most probable of the others.
    """
    names = np.asarray(classes)
    if threshold is None or positive is None:
        return np.asarray(names[_greatest_column(probabilities)])
    position = list(classes).index(positive)
    others = _greatest_column(np.delete(probabilities, position, axis=1))
    others = others + (others >= position)
    return np.asarray(names[np.where(probabilities[:, position] >= threshold - EQUAL, position, others)])


def _greatest_column(probabilities: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column of the greatest of each row, the first of equals."""
    greatest = probabilities.max(axis=1, keepdims=True)
    return np.asarray((probabilities >= greatest - EQUAL).argmax(axis=1))
