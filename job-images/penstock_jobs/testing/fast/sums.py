"""Scores that are functions of sums over the points."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.testing.bootstrap import Counts, Statistic
from penstock_jobs.testing.points import Points

Array = NDArray[np.float64]


def statistic_of_sums(points: Points, terms: Array, combine: Callable[[Array], Array]) -> Statistic:
    """Return the statistic that combines weighted sums.

    Args:
        points: the points.
        terms: what each point adds to each sum before it is weighted, shape (points, sums).
        combine: from the sums of each resample, shape (resamples, sums), to its score, shape (resamples,).
    """
    by_unit = np.zeros((points.units, terms.shape[1]))
    np.add.at(by_unit, points.unit, terms * points.weights[:, None])

    def statistic(counts: Counts) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return combine(counts @ by_unit)

    return statistic


def ratio(above: Array, below: Array, otherwise: float = 0.0) -> Array:
    """Return above / below, and `otherwise` where below is 0."""
    found = np.full(np.broadcast(above, below).shape, otherwise)
    return np.asarray(np.divide(above, below, out=found, where=below != 0))
