"""All the scores of one Model on some points, each with its interval."""

import math
import warnings
from dataclasses import dataclass, field

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.scoring import Predictions, Scorer, load_scorers
from penstock_jobs.testing.bootstrap import NoInterval
from penstock_jobs.testing.intervals import interval_of
from penstock_jobs.testing.points import Points

INTERVAL = 0.95


@dataclass(frozen=True)
class Scores:
    """The scores that there are, and of each that has no number the sentence that says why.

    `intervals` says of each score how its interval was made, or why there is none.
    """

    scores: tuple[ScoreResult, ...]
    undefined: dict[str, str]
    intervals: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> ScoreResult | None:
        """Return the score of that name."""
        return next((score for score in self.scores if score.name == name), None)


def scorers_of(job: TestingJob, points: Points) -> list[Scorer]:
    """Return the scoring functions of the job, checked against the task and the classes."""
    return load_scorers(job.scoring, job.task, points.classes, points.positive)


def all_scores(
    scorers: list[Scorer], points: Points, predictions: Predictions, resamples: int, seed: int, whose: str
) -> Scores:
    """Return the scores of a Model, with 95 % intervals.

    Args:
        scorers: the scoring functions.
        points: the points with their truth.
        predictions: the Model's answers to them.
        resamples: how many at most; slow scoring functions get fewer.
        seed: of the bootstrap.
        whose: the Model and the set, for a sentence.

    Raises:
        Refused: a scoring function of the user's own raised an exception.
    """
    found: list[ScoreResult] = []
    undefined: dict[str, str] = {}
    intervals: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for scorer in scorers:
            try:
                value = exact_score(scorer, points, predictions, whose)
            except UndefinedScore as error:
                undefined[scorer.name] = str(error)
                continue
            try:
                made = interval_of(value, scorer, points, predictions, INTERVAL, resamples, seed)
            except NoInterval as error:
                found.append(scorer.result(value))
                intervals[scorer.name] = f"No interval. {error}"
                continue
            found.append(scorer.result(value, low=made.ends.low, high=made.ends.high))
            intervals[scorer.name] = made.method
    return Scores(tuple(found), undefined, intervals)


class UndefinedScore(Exception):
    """A scoring function has no number for these values; the message is the sentence that says why."""


def exact_score(scorer: Scorer, points: Points, predictions: Predictions, whose: str) -> float:
    """Return the score, a finite number.

    Raises:
        Undefined: there is none.
        Refused: a scoring function of the user's own raised an exception.
    """
    try:
        value = scorer.score(points.truth, predictions, points.weight)
    except Refused as error:
        raise UndefinedScore(str(error)) from error
    except Exception as error:
        if scorer._own:
            raise Refused(
                f"Scoring {scorer.name} failed on {whose}: {type(error).__name__}: {_sentence(error)} "
                "Correct the function, or leave it out of testing.scoring."
            ) from error
        if not isinstance(error, ValueError):
            raise
        raise UndefinedScore(f"{scorer.name} is not defined here: {_sentence(error)}") from error
    if not math.isfinite(value):
        raise UndefinedScore(f"{scorer.name} has no number on these {len(points):,} points{_missing_class(points)}.")
    return value


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0].rstrip(".") if lines else "no reason given") + "."


def _missing_class(points: Points) -> str:
    present = set(points.truth.tolist())
    absent = [str(one) for one in points.classes if one not in present]
    return f": none of them is of class {absent[0]}" if absent else ""
