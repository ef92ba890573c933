"""From a scoring function and a Model's answers to the score of any resample, as fast as it goes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.scoring import Predictions, Scorer
from penstock_jobs.testing.bootstrap import Counts, Statistic
from penstock_jobs.testing.fast import forms
from penstock_jobs.testing.fast.ranking import RANKING
from penstock_jobs.testing.points import Points, take_predictions

_FAST_WORK = 400_000_000
_RANKED_WORK = 60_000_000
_SLOW_WORK = 4_000_000
_LEAST_FAST = 400
_LEAST_SLOW = 200
_TRIED = 3


class ResampledScore:
    """The score of resamples of some points.

    Attributes:
        statistic: from the counts of the units to the scores.
        fast: whether all resamples are scored together; else the scoring function is called once for each.
    """

    def __init__(self, scorer: Scorer, points: Points, predictions: Predictions) -> None:
        """Look for a form that gives the scoring function's own numbers, and else call the function itself."""
        slow = _slow_statistic(scorer, points, predictions)
        fast = _find_fast_form(scorer.name, slow, points, predictions)
        self.fast = fast is not None
        self._work = _SLOW_WORK if fast is None else _RANKED_WORK if scorer.name in RANKING else _FAST_WORK
        self.statistic: Statistic = slow if fast is None else fast

    def resamples(self, points: int, wanted: int) -> int:
        """Return how many resamples are affordable: a function of the number of points and never of the clock."""
        least = _LEAST_FAST if self.fast else _LEAST_SLOW
        return min(wanted, max(least, self._work // max(points, 1)))


def score(scorer: Scorer, points: Points, predictions: Predictions) -> float:
    """Return the score; NaN where the function has none for these values, or fails on them."""
    try:
        return scorer.score(points.truth, predictions, points.weight)
    except Exception:  # a function of the user's own may raise anything on a resample, say one without a class
        return float("nan")


def _slow_statistic(scorer: Scorer, points: Points, predictions: Predictions) -> Statistic:
    def one(counts: NDArray[np.float64]) -> float:
        rows = np.repeat(np.arange(len(points)), counts.astype(np.intp)[points.unit])
        return score(scorer, points.take(rows), take_predictions(predictions, rows))

    return lambda counts: np.array([one(row) for row in counts])


def _find_fast_form(name: str, slow: Statistic, points: Points, predictions: Predictions) -> Statistic | None:
    """Return a fast form that agrees with the function on the points as they are and on some resamples."""
    if not len(points):
        return None
    tried = _some_counts(points.units)
    expected = slow(tried)
    unweighted = [] if points.weight is None else [replace(points, weight=None)]
    for form in forms(name):
        for those in (points, *unweighted):
            statistic = form(those, predictions)
            if statistic is not None and np.allclose(statistic(tried), expected, rtol=1e-9, atol=1e-12, equal_nan=True):
                return statistic
    return None


def _some_counts(units: int) -> Counts:
    generator = np.random.default_rng(0)
    drawn = [np.bincount(generator.integers(0, units, units), minlength=units) for _ in range(_TRIED)]
    return np.stack([np.ones(units), *drawn]).astype(np.float64)
