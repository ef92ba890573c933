"""What a model answers to some rows, in the one shape that scores are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Predictions:
    """The answers to n rows.

    Attributes:
        labels: Predicted classes, or values in a regression; shape (n,).
        probabilities: One column a class, in the order of the classes; shape (n, classes). None where there are none.
        decision: The decision function, where there are no probabilities: shape (n,) for two classes (high means the
            second class), (n, classes) for more.
    """

    labels: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None = None
    decision: npt.NDArray[np.float64] | None = None

    def apply_threshold(self, threshold: float, classes: tuple[Any, ...], positive: int) -> "Predictions":
        """Return the predictions with the positive of two classes wherever its probability reaches the threshold."""
        if self.probabilities is None:
            raise ValueError("The estimator gives no probabilities, and a decision threshold needs them.")
        chosen = np.where(self.probabilities[:, positive] >= threshold, positive, 1 - positive)
        labels = np.array(classes, dtype=object)[chosen]
        return Predictions(labels.astype(self.labels.dtype), self.probabilities, self.decision)


def predict(estimator: Any, rows: Any, *, classification: bool) -> Predictions:
    """Return what a fitted scikit-learn estimator answers, each of its functions called once.

    With probabilities at hand the label is the class of the highest one only where the estimator itself says so, so
    `predict` is called too; SVC, for one, does not agree with its own probabilities.
    """
    labels = np.asarray(estimator.predict(rows))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not classification:
        return Predictions(labels)
    if hasattr(estimator, "predict_proba"):
        return Predictions(labels, np.asarray(estimator.predict_proba(rows), dtype=np.float64))
    if hasattr(estimator, "decision_function"):
        return Predictions(labels, decision=np.asarray(estimator.decision_function(rows), dtype=np.float64))
    return Predictions(labels)
