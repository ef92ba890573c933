"""What the report looks into beyond the scores; nothing here decides anything."""

import msgspec
import numpy as np

from penstock_jobs.contract import document
from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.logs import log
from penstock_jobs.scoring import Scorer
from penstock_jobs.storage import Store, open_store
from penstock_jobs.testing.importance import importances
from penstock_jobs.testing.judging import JudgedModel
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.report.findings import Details
from penstock_jobs.testing.scores import Scores
from penstock_jobs.testing.segments import segmentation
from penstock_jobs.testing.sides import sides_of
from penstock_jobs.testing.table import TestingTable
from penstock_jobs.training.curves import Curves, curves_key
from penstock_jobs.training.ledger import read_candidates


def details_of(
    job: TestingJob,
    shown: JudgedModel,
    testing: TestingTable,
    points: Points,
    scorers: list[Scorer],
    ranking: Scorer,
    baseline: Scores | None,
) -> Details:
    """Return the other sides' scores, the importances, the segments and the curves of the Model shown."""
    chosen = np.flatnonzero(shown.unseen)
    frame, mine, answers = testing.frame.iloc[chosen], points.take(chosen), take_predictions(shown.predictions, chosen)
    return Details(
        sides=sides_of(job, shown, scorers, baseline),
        importances=importances(shown, frame, mine, ranking, job.seed),
        segmentations=tuple(
            segmentation(column, frame, mine, answers, ranking, job.resamples, job.seed) for column in job.segments
        ),
        curves=_curves(job, shown.name),
    )


def candidates_of(job: TestingJob) -> tuple[CandidateRow, ...]:
    """Return the table of candidates of the run that trained; empty where none did, or its files are gone."""
    try:
        return tuple(read_candidates(_training_store(job)))
    except JobError as error:
        log.warning("The report does without the candidates: %s", error)
        return ()


def statistics_of(job: TestingJob) -> TableStatistics | None:
    """Return the statistics of the columns, which are beside the results of the run that made the tables."""
    uri = None if job.dataset_result is None else job.dataset_result.statistics
    if uri is None:
        return None
    folder, _, key = uri.rpartition("/")
    try:
        return document.decode(
            open_store(msgspec.structs.replace(job.run_storage, uri=folder)).read(key), TableStatistics, uri
        )
    except JobError as error:
        log.warning("The report does without the table of columns: %s", error)
        return None


def _training_store(job: TestingJob) -> Store:
    """Return where the files are of the run that trained, which need not be the one that tests."""
    made = job.training_result
    folder = made.candidates.rpartition("/")[0] if made is not None else job.run_storage.uri
    return open_store(msgspec.structs.replace(job.run_storage, uri=folder))


def _curves(job: TestingJob, model: str) -> Curves | None:
    key = curves_key(model)
    try:
        store = _training_store(job)
        return document.decode(store.read(key), Curves, f"{store.uri}/{key}") if store.exists(key) else None
    except JobError as error:
        log.warning("The report does without the curves: %s", error)
        return None
