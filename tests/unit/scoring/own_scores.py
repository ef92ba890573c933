"""Scoring functions of a user's own."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def missed(y_true: npt.NDArray[np.generic], y_pred: npt.NDArray[np.generic]) -> float:
    return float(np.sum((y_true == "yes") & (y_pred == "no")))


def mean_of_positive(
    y_true: npt.NDArray[np.generic],
    y_score: Numbers,
    sample_weight: Numbers | None = None,
) -> float:
    return float(np.average(y_score, weights=sample_weight))


def width(y_true: npt.NDArray[np.generic], y_score: Numbers) -> int:
    return int(y_score.shape[1])


def breaks(y_true: npt.NDArray[np.generic], y_pred: npt.NDArray[np.generic]) -> None:
    raise KeyError("amount")


def words(y_true: npt.NDArray[np.generic], y_pred: npt.NDArray[np.generic]) -> str:
    return "good"


ANSWER = 42
