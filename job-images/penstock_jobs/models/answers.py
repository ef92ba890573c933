"""What a Model answers, and the one rule by which a class is chosen from probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Class = str | int | bool | float


@dataclass(frozen=True)
class Predictions:
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


def choose(
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
        return np.asarray(names[probabilities.argmax(axis=1)])
    position = list(classes).index(positive)
    others = np.delete(probabilities, position, axis=1).argmax(axis=1)
    others = others + (others >= position)
    return np.asarray(names[np.where(probabilities[:, position] >= threshold, position, others)])
