"""All that testing found out, as the report is made of it."""

from dataclasses import dataclass

from penstock_jobs.contract.column_statistics import TableStatistics
from penstock_jobs.contract.gate import GateDecision
from penstock_jobs.contract.result import CandidateRow, Comparison
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.scoring import Scorer
from penstock_jobs.testing.importance import Importances
from penstock_jobs.testing.judging import JudgedModel
from penstock_jobs.testing.points import Points
from penstock_jobs.testing.scores import Scores
from penstock_jobs.testing.segments import Segmentation
from penstock_jobs.testing.sides import ReferenceScores
from penstock_jobs.testing.table import TestingTable
from penstock_jobs.training.curves import Curves


@dataclass(frozen=True)
class Details:
    """What is looked into for the challenger alone."""

    sides: ReferenceScores
    importances: Importances | None
    segmentations: tuple[Segmentation, ...]
    curves: Curves | None


@dataclass(frozen=True)
class Findings:
    """What the job was asked, the testing set, the Models with their scores by name, and what follows.

    `shown` is the Model that the report is about: the challenger, or without new Models the served one. `ranking` is
    the scoring function that decides. `decision` is what the gate says of these scores, None where there is no gate.
    `statistics` are those of the columns, None where the dataset job left none.
    """

    job: TestingJob
    testing: TestingTable
    points: Points
    scorers: list[Scorer]
    ranking: Scorer
    models: tuple[JudgedModel, ...]
    served: JudgedModel | None
    shown: JudgedModel
    scores: dict[str, Scores]
    comparison: Comparison | None
    decision: GateDecision | None
    details: Details
    candidates: tuple[CandidateRow, ...]
    statistics: TableStatistics | None = None
