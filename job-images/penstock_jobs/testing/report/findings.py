"""All that testing found out, as the report is made of it."""

from dataclasses import dataclass

from penstock_jobs.result import Comparison
from penstock_jobs.scoring import Scorer
from penstock_jobs.specification import TestingJob
from penstock_jobs.testing.judging import Judged
from penstock_jobs.testing.points import Points
from penstock_jobs.testing.scores import Scores
from penstock_jobs.testing.table import TestingTable


@dataclass(frozen=True)
class Findings:
    """What the job was asked, the testing set, the Models with their scores by name, and the comparison."""

    job: TestingJob
    testing: TestingTable
    points: Points
    scorers: list[Scorer]
    models: tuple[Judged, ...]
    served: Judged | None
    scores: dict[str, Scores]
    challenger: Judged | None
    comparison: Comparison | None
