"""The challenger against the served Model, on the points that neither saw."""

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract.result import Comparison
from penstock_jobs.scoring import Predictions, Scorer
from penstock_jobs.testing import bootstrap
from penstock_jobs.testing.bootstrap import LEAST_UNITS, NoInterval
from penstock_jobs.testing.intervals import require_units
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.resampled import ResampledScore
from penstock_jobs.testing.scores import UndefinedScore, exact_score


def compare(
    challenger: tuple[str, Predictions],
    served: tuple[str, Predictions],
    common: NDArray[np.bool_],
    points: Points,
    scorer: Scorer,
    *,
    minimum_points: int,
    confidence: float,
    resamples: int,
    seed: int,
) -> Comparison:
    """Return the difference of the two on the common points, with its bounds by the paired bootstrap.

    Args:
        challenger: its name and its answers to all points.
        served: the same of the served Model.
        common: which points neither saw in training or validation.
        points: all points.
        scorer: the scoring function that decides.
        minimum_points: fewer common points decide nothing.
        confidence: of each bound.
        resamples: how many at most.
        seed: of the bootstrap.
    """
    names = (challenger[0], served[0])
    count = int(common.sum())
    if count < minimum_points:
        return void_comparison(*names, scorer.name, count, _too_few_sentence(count, len(points), minimum_points))
    chosen = points.take(common)
    answers = [take_predictions(predictions, common) for _, predictions in (challenger, served)]
    try:
        ours, theirs = (
            exact_score(scorer, chosen, answer, f"{name} and {count:,} testing points")
            for name, answer in zip(names, answers, strict=True)
        )
    except UndefinedScore as error:
        return void_comparison(*names, scorer.name, count, str(error))
    try:
        require_units(chosen, min(LEAST_UNITS, minimum_points))
        ends = difference_bounds(scorer, chosen, answers, ours - theirs, confidence, resamples, seed)
    except NoInterval as error:
        why = f"The difference in {scorer.name} on the {count:,} common points has no bounds. {error}"
        return void_comparison(*names, scorer.name, count, why)
    return Comparison(
        challenger=names[0],
        served=names[1],
        scoring=scorer.name,
        points=count,
        difference=ours - theirs,
        low=ends.low,
        high=ends.high,
        confidence=confidence,
        challenger_score=ours,
        served_score=theirs,
    )


def void_comparison(challenger: str, served: str, scoring: str, points: int, reason: str) -> Comparison:
    """Return the comparison that decides nothing, with the reason."""
    return Comparison(challenger=challenger, served=served, scoring=scoring, points=points, reason=reason)


def difference_bounds(
    scorer: Scorer,
    points: Points,
    answers: list[Predictions],
    difference: float,
    confidence: float,
    resamples: int,
    seed: int,
) -> bootstrap.Interval:
    """Return the bounds of the difference first - second of two answers, each one-sided at this confidence."""
    first, second = (ResampledScore(scorer, points, answer) for answer in answers)
    taken = min(one.resamples(len(points), resamples) for one in (first, second))
    found = bootstrap.resample(
        lambda counts: first.statistic(counts) - second.statistic(counts),
        difference,
        points.units,
        taken,
        seed,
        width=len(points),
    )
    return bootstrap.bounds(found, confidence)


def _too_few_sentence(count: int, testing: int, minimum: int) -> str:
    return (
        f"Only {count:,} of the {testing:,} testing points were seen by neither Model in training or validation, and "
        f"testing.minimumPoints asks for {minimum:,}."
    )
