"""Estimators of a user's own, with their bad habits."""

import os
import signal
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin


class Noted(ClassifierMixin, BaseEstimator):
    """Notes each fit in the file NOTES; kills the whole job when a fit is the one numbered KILL_AT."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        with Path(os.environ["NOTES"]).open("a") as notes:
            notes.write(f"{self.shift}\n")
        if len(Path(os.environ["NOTES"]).read_text().splitlines()) == int(os.environ.get("KILL_AT", "0")):
            os.kill(_parent(os.getppid()), signal.SIGKILL)
            signal.pause()  # until the kernel ends this one too
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        positive = 1 / (1 + np.exp(-(np.asarray(X, dtype=float)[:, 0] + self.shift * np.asarray(X, dtype=float)[:, 1])))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.generic]:
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]


class Troubled(Noted):
    """Fails as `trouble` says."""

    def __init__(self, trouble: str = "none", shift: float = 0.0) -> None:
        super().__init__(shift)
        self.trouble = trouble

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.shape(X)[1]
        if self.trouble == "raises":
            raise ArithmeticError("it does not add up")
        if self.trouble == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble == "memory":
            raise MemoryError("Unable to allocate 3 TiB")
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        probabilities = super().predict_proba(X)
        return probabilities * np.nan if self.trouble == "nan" else probabilities


class Unseeded(Troubled):
    """Draws from numpy's global generator."""

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        super().fit(X, y)
        self.noise_ = np.random.normal()
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        positive = 1 / (1 + np.exp(-(np.asarray(X, dtype=float)[:, 0] * self.noise_)))
        return np.column_stack([1 - positive, positive])


def cost(y_true: npt.NDArray[np.str_], y_pred: npt.NDArray[np.str_]) -> float:
    """Return what the mistakes cost: a missed yes five times a false one."""
    return float(np.sum((y_true == "yes") & (y_pred == "no")) * 5 + np.sum((y_true == "no") & (y_pred == "yes")))


def undefined(y_true: npt.NDArray[np.str_], y_pred: npt.NDArray[np.str_]) -> float:
    """Return no number at all."""
    return float("nan")


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
