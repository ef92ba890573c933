"""The served Model on the testing points that are newer than it: whether it has become worse since it was made."""

import warnings

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import NewPointsResult
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.logs import log
from penstock_jobs.scoring import Scorer
from penstock_jobs.testing.comparability import new_mask
from penstock_jobs.testing.judging import JudgedModel, points_tested
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.scores import UndefinedScore, exact_score
from penstock_jobs.testing.table import TestingTable


def score_new_points(
    job: TestingJob, judged: JudgedModel, testing: TestingTable, points: Points, scorers: list[Scorer]
) -> NewPointsResult:
    """Return how many of its unseen points are newer than the Model, and its scores on them.

    They are for who watches the Model, and decide nothing here: a scoring function that fails on so few points is left
    out, and the run goes on.
    """
    lineage = judged.manifest.lineage
    mask = new_mask(testing.origin, lineage, judged.unseen, lambda: points_tested(job, lineage, testing.origin.points))
    newer, answers = points.take(mask), take_predictions(judged.predictions, mask)
    scores: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for scorer in scorers if len(newer) else ():
            try:
                scores[scorer.name] = exact_score(scorer, newer, answers, f"the points newer than {judged.name}")
            except (UndefinedScore, Refused) as error:
                log.info("%s is not scored by %s on points newer than it: %s", judged.name, scorer.name, error)
    return NewPointsResult(points=len(newer), scores=scores)
