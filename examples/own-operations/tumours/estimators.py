"""An estimator with scikit-learn's interface: that is all that Penstock asks."""

# ruff: noqa: N803 (X is scikit-learn's name)

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class NearestMean(ClassifierMixin, BaseEstimator):
    """Takes a point for what the nearest mean of a class is; a cheap guess to compare others with.

    Args:
        order: The norm by which distances are measured: 1 is the sum of the differences, 2 the straight line.
    """

    def __init__(self, order: int = 2) -> None:
        self.order = order

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Find the mean of each class; X is (points, features), y is (points,)."""
        rows, labels = validate_data(self, X, y)
        self.classes_ = np.unique(labels)
        self.means_ = np.stack([rows[labels == label].mean(axis=0) for label in self.classes_])
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return a probability for each class, (points, classes): the softmax of the distances."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False)
        distances = np.linalg.norm(rows[:, None, :] - self.means_[None], ord=self.order, axis=2)
        likeness = np.exp(distances.min(axis=1, keepdims=True) - distances)
        return likeness / likeness.sum(axis=1, keepdims=True)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.generic]:
        """Return the class of the nearest mean, (points,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
