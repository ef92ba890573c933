"""The interval of one score: exact for a share of independent points, by bootstrap for anything else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from penstock_jobs.scoring import Predictions, Scorer
from penstock_jobs.testing import bootstrap
from penstock_jobs.testing.bootstrap import LEAST_UNITS, Interval, NoInterval
from penstock_jobs.testing.points import Points
from penstock_jobs.testing.resampled import ResampledScore


@dataclass(frozen=True)
class ScoreInterval:
    """The ends of the interval of a score, and how it was made, in a few words."""

    ends: Interval
    method: str


def interval_of(
    value: float, scorer: Scorer, points: Points, predictions: Predictions, confidence: float, resamples: int, seed: int
) -> ScoreInterval:
    """Return the two-sided interval of a score.

    Raises:
        NoInterval: there is none to be had; the message says why.
    """
    share = share_of(scorer, points, predictions)
    if share is not None and share[1] and np.isclose(share[0] / share[1], value):
        return ScoreInterval(clopper_pearson(*share, confidence), f"Clopper-Pearson, {share[1]:,} points")
    require_units(points)
    resampled = ResampledScore(scorer, points, predictions)
    taken = resampled.resamples(len(points), resamples)
    found = bootstrap.resample(resampled.statistic, value, points.units, taken, seed, width=len(points))
    return ScoreInterval(bootstrap.interval(found, confidence, *scorer.range), f"bootstrap over {unit_words(points)}")


def require_units(points: Points, least: int = LEAST_UNITS) -> None:
    """Raise NoInterval where there are too few units to know their spread by."""
    if points.units < least:
        raise NoInterval(f"It rests on {unit_words(points)}, and an interval by bootstrap needs {least} at least.")


def unit_words(points: Points) -> str:
    """Return how many units there are, and of what: `240 groups`."""
    count = len(points) if points.kind == "points" else points.units
    return f"{count:,} {points.kind if count != 1 else points.kind.replace('stretches', 'stretch').removesuffix('s')}"


def share_of(scorer: Scorer, points: Points, predictions: Predictions) -> tuple[int, int] | None:
    """Return of how many independent points the score counts how many, or None where it is no such share.

    Points that belong together, or that weigh differently, are no independent draws. Recall is a share of those of the
    positive class, precision of those that are called so.
    """
    if points.weight is not None or not (points.kind == "points" or points.units == len(points)):
        return None
    match scorer.share:
        case "all":
            counted: NDArray[np.bool_] = np.ones(len(points), dtype=bool)
        case "true":
            counted = np.asarray(points.truth == points.positive)
        case "predicted":
            counted = np.asarray(predictions.labels == points.positive)
        case None:
            return None
    return int((counted & (points.truth == predictions.labels)).sum()), int(counted.sum())


def clopper_pearson(successes: int, trials: int, confidence: float) -> Interval:
    """Return the exact interval of a share, which never holds too seldom (C. Clopper, E. Pearson, Biometrika 26, 1934).

    Where nothing, or everything, is counted it does not collapse: 0 of 4 is 0 to 0.6.
    """
    tail = (1 - confidence) / 2
    low = special.betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = special.betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return Interval(float(low), float(high))
