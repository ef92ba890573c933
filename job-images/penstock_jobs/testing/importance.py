"""Permutation importance: how much of the score is lost when one feature's values are shuffled among the points.

L. Breiman, "Random Forests", Machine Learning 45 (2001); made here from the served file, as the server answers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from penstock_jobs.scoring import Scorer
from penstock_jobs.testing.judging import JudgedModel, predict
from penstock_jobs.testing.points import Points
from penstock_jobs.testing.resampled import score

SAMPLE = 2_000
REPEATS = 5
_MAXIMUM_PREDICTIONS = 2_000_000


@dataclass(frozen=True)
class Importance:
    """What a feature is worth: the mean loss of score over the repeats, the least and the greatest."""

    feature: str
    mean: float
    least: float
    greatest: float


@dataclass(frozen=True)
class Importances:
    """The features with the most important first, the scoring function, and how many points were looked at."""

    scoring: str
    points: int
    features: tuple[Importance, ...]


def importances(
    judged: JudgedModel, frame: pd.DataFrame, points: Points, scorer: Scorer, seed: int
) -> Importances | None:
    """Return the importance of each feature on a bounded number of points; None where the score has no number.

    Rows are in the order of their hashes, so the first ones are a random sample.
    """
    names = [feature.name for feature in judged.manifest.features]
    rows = min(len(frame), SAMPLE, max(100, _MAXIMUM_PREDICTIONS // (REPEATS * max(len(names), 1))))
    chosen = np.arange(rows)
    sample, mine = frame.iloc[:rows][names], points.take(chosen)
    whole = score(scorer, mine, predict(judged.model, sample))
    if not np.isfinite(whole):
        return None
    found = [
        _importance_of(name, judged, sample, mine, scorer, whole, [seed, place]) for place, name in enumerate(names)
    ]
    return Importances(scorer.name, rows, tuple(sorted(found, key=lambda one: -one.mean)))


def _importance_of(
    name: str, judged: JudgedModel, sample: pd.DataFrame, points: Points, scorer: Scorer, whole: float, seed: list[int]
) -> Importance:
    generator = np.random.default_rng(seed)
    lost = []
    for _ in range(REPEATS):
        order = generator.permutation(len(sample))
        shuffled = sample.assign(**{name: sample[name].iloc[order].set_axis(sample.index)})
        lost.append(whole - score(scorer, points, predict(judged.model, shuffled)))
    return Importance(name, float(np.mean(lost)), float(np.min(lost)), float(np.max(lost)))
