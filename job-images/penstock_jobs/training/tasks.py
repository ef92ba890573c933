"""What the job's own process and its worker processes say to each other, and the context they both make alike."""

from dataclasses import dataclass

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import CandidateRow, ModelReference
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.scoring import load_scorers, positive_index
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.data import TrainingData
from penstock_jobs.training.estimators import BASELINE, Factory, baseline, load_algorithm
from penstock_jobs.training.evaluation import EvaluationContext, TransformCache
from penstock_jobs.training.memory import cache_limit
from penstock_jobs.training.preprocessing import check_preprocessing
from penstock_jobs.training.splits import RowSplit, check_splits, hash_folds, holdout_split, time_folds


@dataclass(frozen=True)
class Evaluate:
    """Fit and score this candidate."""

    candidate: Candidate


@dataclass(frozen=True)
class Save:
    """Make a Model of this candidate, whose row is known; `curves`: also make what the report draws."""

    candidate: Candidate
    row: CandidateRow
    name: str
    curves: bool


Task = Evaluate | Save


@dataclass(frozen=True)
class Problem:
    """A task that ended with a sentence for a person."""

    message: str
    passing: bool


Answer = CandidateRow | ModelReference | Problem


def load_factories(job: TrainingJob) -> dict[str, Factory]:
    """Return how to make each algorithm's estimators, the baseline's included.

    Raises:
        Refused: as `load_algorithm`.
    """
    if any(algorithm.name == BASELINE for algorithm in job.algorithms):
        raise Refused(f"An algorithm is called {BASELINE}, the name of what all others are compared with; rename it.")
    factories = {algorithm.name: load_algorithm(algorithm, job.task, job.threads) for algorithm in job.algorithms}
    return {BASELINE: baseline(job.task), **factories}


def make_evaluation_context(job: TrainingJob, data: TrainingData, factories: dict[str, Factory]) -> EvaluationContext:
    """Return the context on which the job's candidates are tried, having checked all of it against the data."""
    splits = make_splits(job, data)
    check_splits(splits, data.target, data.classes)
    check_preprocessing(job.preprocessing, data.features)
    scorings = (job.scoring, *(one for one in job.also_scoring if one.name != job.scoring.name))
    scorers = tuple(load_scorers(scorings, job.task, data.classes, job.target.positive))
    load_scorers(job.later_scoring, job.task, data.classes, job.target.positive)
    _check_decision(job, data)
    return EvaluationContext(
        data=data,
        splits=splits,
        factories=factories,
        scorers=scorers,
        preprocessing=job.preprocessing,
        positive=job.target.positive,
        threshold=job.decision.threshold,
        cache=TransformCache(cache_limit(job)),
    )


def make_splits(job: TrainingJob, data: TrainingData) -> tuple[RowSplit, ...]:
    """Return the splits that the validation rule asks for."""
    rule, rows = job.validation_rule, len(data.target)
    if rule.folds is None:
        return holdout_split(data.training_rows, rows - data.training_rows)
    if data.time is None:
        return hash_folds(data.draw, rule.folds, rule.repeats, data.target if data.classes else None)
    if rule.repeats > 1:
        raise Refused("Validation repeats folds, and with strategy Time there is one order only; leave repeats out.")
    return time_folds(data.time, rule.folds, job.split.gap)


def _check_decision(job: TrainingJob, data: TrainingData) -> None:
    if job.calibration != "None" and not data.classes:
        raise Refused("Calibration is of probabilities, and a regression has none; leave it out.")
    if job.calibration != "None" and job.validation_rule.folds is not None:
        if data.time is not None:
            raise Refused("Calibration with folds in time order is not possible; validate on a holdout.")
        if job.decision.tune is not None:
            raise Refused("Calibration and a tuned threshold together need a holdout; validate on one.")
    if job.decision.threshold is None and job.decision.tune is None:
        return
    if positive_index(data.classes, job.target.positive) is None:
        raise Refused("A decision threshold needs two classes, and target.positive to say which of them it is for.")
