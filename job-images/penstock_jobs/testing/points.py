"""The testing points as scores see them: what is true, what it weighs, and what belongs together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.models.answers import Class
from penstock_jobs.scoring.predictions import Predictions

Positions = NDArray[np.intp]
UnitKind = Literal["points", "groups", "stretches of time"]
MOST_UNITS = 5_000


@dataclass(frozen=True)
class Points:
    """Points with their truth.

    Attributes:
        truth: the class or the number of each point, shape (points,).
        unit: which unit of the bootstrap each point belongs to, from 0 up, shape (points,).
        classes: in the order of the probabilities; empty for regression.
        positive: the class that binary scores are about.
        weight: of each point, or None where all weigh the same.
        kind: what a unit is. Units of very many single points are blocks of them, which are as independent.
    """

    truth: NDArray[Any]
    unit: Positions
    classes: tuple[Class, ...] = ()
    positive: Class | None = None
    weight: NDArray[np.float64] | None = None
    kind: UnitKind = "points"

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def units(self) -> int:
        """How many units there are."""
        return int(self.unit.max()) + 1 if len(self.unit) else 0

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weight of each point, 1 where none was given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    def take(self, chosen: NDArray[Any]) -> "Points":
        """Return the chosen points (a mask or positions), with units counted from 0 again."""
        return replace(
            self,
            truth=self.truth[chosen],
            unit=np.unique(self.unit[chosen], return_inverse=True)[1],
            weight=None if self.weight is None else self.weight[chosen],
        )


def take_predictions(predictions: Predictions, chosen: NDArray[Any]) -> Predictions:
    """Return the answers to the chosen points."""
    return Predictions(
        labels=predictions.labels[chosen],
        probabilities=None if predictions.probabilities is None else predictions.probabilities[chosen],
        decision=None if predictions.decision is None else predictions.decision[chosen],
    )


@dataclass(frozen=True)
class Units:
    """Which unit of the bootstrap each point belongs to, and what a unit is."""

    of_points: Positions
    kind: UnitKind


def single_units(points: int) -> Units:
    """Return units of one point each; of very many points, blocks of neighbours, which are enough to be as exact.

    Rows are in the order of their hashes, so a block is a random few: resampling blocks of independent points gives the
    same spread as resampling points, known to within one part in the square root of twice the number of blocks.
    """
    return Units(np.arange(points) * min(points, MOST_UNITS) // max(points, 1), "points")


def group_units(groups: Sequence[int]) -> Units:
    """Return one unit for each group."""
    return Units(np.unique(np.asarray(groups, dtype=np.int64), return_inverse=True)[1], "groups")


def time_units(times: NDArray[Any]) -> Units:
    """Return stretches of time, each of about n^(1/3) points; points of one moment are never parted.

    The length is the order that is best for the variance of a block bootstrap (P. Hall, J. Horowitz, B. Jing, "On
    blocking rules for the bootstrap with dependent data", Biometrika 82(3), 1995).
    """
    moments, moment = np.unique(times, return_inverse=True)
    length = max(1, round(len(times) ** (1 / 3)))
    before = np.concatenate([[0], np.cumsum(np.bincount(moment, minlength=len(moments)))[:-1]])
    return Units(np.unique((before // length)[moment], return_inverse=True)[1], "stretches of time")
