"""What the report shows beside the testing scores: the challenger on training and validation, and a baseline."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import TableVersion
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.logs import log
from penstock_jobs.models.answers import Class
from penstock_jobs.scoring import Predictions, Scorer
from penstock_jobs.tables.columns import GROUP
from penstock_jobs.tables.reading import read_frame
from penstock_jobs.testing.comparability import times_of
from penstock_jobs.testing.judging import JudgedModel, predict
from penstock_jobs.testing.points import Points, Units, group_units, single_units, time_units
from penstock_jobs.testing.scores import Scores, all_scores
from penstock_jobs.testing.table import points_of, truth_of

SAMPLE = 20_000


@dataclass(frozen=True)
class SideScores:
    """The scores of a Model on a side that it knows; `rows` of `whole` were looked at, at most `SAMPLE` of them."""

    scores: Scores
    rows: int
    whole: int


@dataclass(frozen=True)
class ReferenceScores:
    """The challenger on training and on validation (None: the table is gone or empty), and the baseline on testing."""

    training: SideScores | None
    validation: SideScores | None
    baseline: Scores | None


def sides_of(
    job: TestingJob, challenger: JudgedModel, scorers: list[Scorer], baseline: Scores | None
) -> ReferenceScores:
    """Return the scores that the report sets beside the challenger's testing scores."""
    training, validation = _sample(job, job.training), _sample(job, job.validation)
    return ReferenceScores(
        _side(job, challenger, training, job.training, scorers),
        _side(job, challenger, validation, job.validation, scorers),
        baseline,
    )


def baseline_scores(job: TestingJob, challenger: JudgedModel, points: Points, scorers: list[Scorer]) -> Scores | None:
    """Return the scores, on these points, of answers that look at no feature; None where training is gone or empty.

    It guesses as the baseline does that training sets beside its candidates: the gate goes by what is shown.
    """
    if job.training.rows == 0 or not len(points):
        return None
    try:
        frame = read_frame(job.training, job.storage, [job.target.column])
    except Refused as error:
        log.warning("Nothing is compared with a baseline: %s", error)
        return None
    classes = challenger.manifest.classes
    guess = baseline_of(truth_of(frame[job.target.column], classes), classes, len(points))
    return all_scores(scorers, points, guess, job.resamples, job.seed, "the baseline")


def baseline_of(truth: NDArray[Any], classes: tuple[Class, ...], rows: int) -> Predictions:
    """Return answers that look at no feature: the classes' shares in training, or the mean."""
    if not classes:
        return Predictions(np.full(rows, float(np.mean(truth))))
    names = np.asarray(classes)
    shares = (truth[:, None] == names[None, :]).mean(axis=0)
    labels = np.full(rows, names[int(shares.argmax())])
    return Predictions(labels, np.tile(shares, (rows, 1)))


def _sample(job: TestingJob, table: TableVersion) -> pd.DataFrame | None:
    if table.rows == 0:
        return None
    try:
        frame = read_frame(table, job.storage, limit=SAMPLE)
    except Refused as error:
        log.warning("The report does without the table %s: %s", table.uri, error)
        return None
    return None if frame.empty else frame


def _side(
    job: TestingJob, challenger: JudgedModel, frame: pd.DataFrame | None, table: TableVersion, scorers: list[Scorer]
) -> SideScores | None:
    if frame is None:
        return None
    points = points_of(job, frame, challenger.manifest.classes, _units(job, frame))
    answers = predict(challenger.model, frame)
    whose = f"{challenger.name} and what it was trained on"
    return SideScores(all_scores(scorers, points, answers, job.resamples, job.seed, whose), len(frame), table.rows)


def _units(job: TestingJob, frame: pd.DataFrame) -> Units:
    if job.split.strategy == "Time" and job.split.time_column is not None:
        return time_units(times_of(frame[job.split.time_column]))
    return group_units(list(frame[GROUP])) if job.split.group_columns else single_units(len(frame))
