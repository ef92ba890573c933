"""Does a file answer as the estimator did? The largest difference over all rows, and what is allowed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.models.predictors import Raw

# Of a probability, or of the range of the predicted numbers. Doubles agree to 1e-15; trees sum in float32, to 1e-7.
TOLERANCE = 1e-5

Choice = Callable[[Raw], NDArray[Any]]


@dataclass(frozen=True)
class Parity:
    """The comparison of a file with the estimator that it was made from.

    Attributes:
        rows: how many rows were compared.
        difference: the largest absolute difference of a probability, a decision or a predicted number.
        allowed: the largest that is.
        labels: on how many rows another class is predicted.
    """

    rows: int
    difference: float
    allowed: float
    labels: int

    @property
    def holds(self) -> bool:
        """Whether the file may stand for the estimator."""
        return self.labels == 0 and self.difference <= self.allowed

    def sentence(self) -> str:
        """Return the comparison in words, without a full stop."""
        text = f"the largest difference on {self.rows} rows is {self.difference:.1e} ({self.allowed:.0e} is allowed)"
        return text + (f" and {self.labels} labels differ" if self.labels else "")


def compare(estimator: Mapping[str, NDArray[Any]], file: Mapping[str, NDArray[Any]], labels: Choice) -> Parity:
    """Return how far the file's raw answers are from the estimator's, on the same rows.

    Args:
        estimator: the raw answers of the estimator.
        file: those of the file.
        labels: how the class is chosen from raw answers; what it returns is compared exactly. Ignored for regression.
    """
    number = next(name for name in ("probabilities", "decision", "value") if name in estimator)
    expected = np.asarray(estimator[number], dtype=np.float64)
    answered = np.asarray(file[number], dtype=np.float64) if number in file else np.full(expected.shape, np.nan)
    if answered.size == expected.size:
        answered = answered.reshape(expected.shape)
    elif number == "decision" and answered.ndim == 2 and answered.shape[1] == 2:
        answered = answered[:, 1]  # skl2onnx writes a binary decision for both classes
    else:
        answered = np.full(expected.shape, np.nan)
    differing = int((labels(dict(estimator)) != labels(dict(file))).sum()) if number != "value" else 0
    return Parity(len(expected), _largest_difference(expected, answered), _tolerance_for(number, expected), differing)


def _largest_difference(expected: NDArray[np.float64], answered: NDArray[np.float64]) -> float:
    if not expected.size:
        return 0.0
    difference = np.abs(expected - answered)
    # An estimator that answers NaN must not be replaced by a file of which nothing is known there.
    return float(np.where(np.isfinite(difference), difference, np.inf).max())


def _tolerance_for(number: str, expected: NDArray[np.float64]) -> float:
    if number == "probabilities" or not expected.size:
        return TOLERANCE
    spread = float(np.ptp(expected))
    return TOLERANCE * (spread or float(np.abs(expected).max()) or 1.0)
