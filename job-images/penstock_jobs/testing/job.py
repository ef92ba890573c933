"""The testing job: what is scored is the file that will be served, through the server's own code."""

import numpy as np

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.gate import GateDecision, apply_gate
from penstock_jobs.contract.result import (
    Comparison,
    ModelReference,
    ModelScores,
    NewPointsResult,
    TestingResult,
)
from penstock_jobs.contract.specification import TestingJob
from penstock_jobs.importing import put_on_path
from penstock_jobs.logs import log, report_progress
from penstock_jobs.scoring import Scorer
from penstock_jobs.storage import open_store
from penstock_jobs.testing.comparability import NotComparable
from penstock_jobs.testing.comparing import compare, void_comparison
from penstock_jobs.testing.details import candidates_of, details_of, statistics_of
from penstock_jobs.testing.judging import JudgedModel, judge
from penstock_jobs.testing.newer import score_new_points
from penstock_jobs.testing.points import Points, take_predictions
from penstock_jobs.testing.report import REPORT, Findings, write_report
from penstock_jobs.testing.scores import INTERVAL, Scores, all_scores, scorers_of
from penstock_jobs.testing.sides import baseline_scores
from penstock_jobs.testing.table import TestingTable, points_of, read_testing, units_of

_ANCHOR = "The anchor, the last Model that was served for being better, or first,"


def test(job: TestingJob) -> TestingResult:
    """Score the Models on the testing set, compare the challenger with the served one, and write the report.

    Raises:
        Refused: the testing set is gone or empty, a new Model cannot be loaded, or a scoring function fails.
    """
    put_on_path(job.source)
    testing = read_testing(job)
    judged = [_judge_new(job, reference, testing) for reference in job.models]
    served, served_reason = _judge_served(job, testing)
    anchor, anchor_reason = _judge_anchor(job, testing)
    everyone = [*judged, *([served] if served and served.name not in {one.name for one in judged} else [])]
    points = _points(job, testing, everyone)
    scorers = scorers_of(job, points)
    scores = {one.name: _scores(job, one, scorers, points) for one in everyone}
    newer = {} if served is None else {served.name: score_new_points(job, served, testing, points, scorers)}
    challenger = _choose_challenger(judged)
    ranking = _ranking_scorer(job, scorers)
    served_name = job.served.name if job.served else None
    comparison = _comparison(job, challenger, served_name, served, served_reason, points, ranking)
    to_anchor = _comparison(job, challenger, job.anchor_name, anchor, anchor_reason, points, ranking)
    shown = challenger or everyone[0]
    baseline = baseline_scores(job, shown, points.take(shown.unseen), scorers)
    decides = baseline.of(ranking.name) if baseline and job.selection else None
    store = open_store(job.run_storage)
    result = TestingResult(
        testing_version=job.testing.version,
        epoch=testing.origin.epoch,
        digest=job.testing.digest,
        points=len(testing),
        models=tuple(_model_scores(one, scores[one.name], newer.get(one.name)) for one in everyone),
        report=f"{store.uri}/{REPORT}",
        challenger=challenger.name if challenger else None,
        comparison=comparison,
        anchor=to_anchor,
        baseline=decides.value if decides else None,
        minimum_points=job.minimum_points,
        generation=job.dataset_result.generation if job.dataset_result else None,
        warnings=tuple(reason for reason in (served_reason, anchor_reason) if reason is not None),
    )
    findings = Findings(
        job=job,
        testing=testing,
        points=points,
        scorers=scorers,
        ranking=ranking,
        models=tuple(judged),
        served=served,
        shown=shown,
        scores=scores,
        comparison=comparison,
        decision=_decision(job, result),
        details=details_of(job, shown, testing, points, scorers, ranking, baseline),
        candidates=candidates_of(job),
        statistics=statistics_of(job),
    )
    report_progress(1, 1, "Writing the report.")
    store.write(REPORT, write_report(findings).encode())
    log.info("The report is at %s/%s.", store.uri, REPORT)
    return result


def _decision(job: TestingJob, result: TestingResult) -> GateDecision | None:
    if job.selection is None or result.challenger is None:
        return None
    return apply_gate(result, job.selection, job.served.name if job.served else None, job.anchor_name)


def _judge_new(job: TestingJob, reference: ModelReference, testing: TestingTable) -> JudgedModel:
    report_progress(0, None, f"Testing the Model {reference.name} on {len(testing):,} points.")
    try:
        judged = judge(job, reference, testing)
    except NotComparable as error:
        raise Refused(f"The Model {reference.name} cannot be tested on this testing set. {error}") from error
    if not judged.unseen.any():
        raise Refused(f"The Model {reference.name} may have seen every point of the testing set in training.")
    return judged


def _judge_served(job: TestingJob, testing: TestingTable) -> tuple[JudgedModel | None, str | None]:
    """Return the served Model, or why it cannot be judged here; that is no reason for the run to fail."""
    return _judge_other(job, job.served, testing, "The served Model") if job.served else (None, None)


def _judge_anchor(job: TestingJob, testing: TestingTable) -> tuple[JudgedModel | None, str | None]:
    """Return the anchor, where the gate asks for one that is not served, or why it cannot be judged here."""
    if job.anchor_name is None:
        return None, None
    if job.anchor is not None:
        return _judge_other(job, job.anchor, testing, _ANCHOR)
    return None, f"{_ANCHOR} {job.anchor_name} is not compared. It is gone."


def _judge_other(
    job: TestingJob, reference: ModelReference, testing: TestingTable, what: str
) -> tuple[JudgedModel | None, str | None]:
    try:
        return judge(job, reference, testing), None
    except (NotComparable, Refused) as error:
        reason = f"{what} {reference.name} is not compared. {error}"
        log.warning("%s", reason)
        return None, reason


def _points(job: TestingJob, testing: TestingTable, everyone: list[JudgedModel]) -> Points:
    if not everyone:
        raise Refused("There is no Model to test: the run trained none, and none is served that can be tested.")
    return points_of(job, testing.frame, everyone[0].manifest.classes, units_of(job, testing.origin))


def _scores(job: TestingJob, judged: JudgedModel, scorers: list[Scorer], points: Points) -> Scores:
    mine = points.take(judged.unseen)
    if not len(mine):
        return Scores((), {scorer.name: "No testing point is unseen by this Model." for scorer in scorers})
    answers = take_predictions(judged.predictions, judged.unseen)
    return all_scores(scorers, mine, answers, job.resamples, job.seed, f"the testing points and {judged.name}")


def _choose_challenger(judged: list[JudgedModel]) -> JudgedModel | None:
    """Return the new Model with the best validation score; of equals the first."""
    return max(judged, key=_validation, default=None)


def _validation(judged: JudgedModel) -> float:
    score = judged.reference.validation
    if score is None and judged.manifest.validation:
        score = judged.manifest.validation[0]
    return score.value if score is not None and np.isfinite(score.value) else float("-inf")


def _comparison(
    job: TestingJob,
    challenger: JudgedModel | None,
    name: str | None,
    other: JudgedModel | None,
    reason: str | None,
    points: Points,
    scorer: Scorer,
) -> Comparison | None:
    """Return the challenger against the Model of that name; `reason` is why that one could not be judged."""
    if challenger is None or name is None or name == challenger.name:
        return None
    if other is None:
        return void_comparison(challenger.name, name, scorer.name, 0, reason or "")
    if set(other.manifest.classes) != set(points.classes):
        why = f"{other.name} knows other classes than {challenger.name}."
        return void_comparison(challenger.name, other.name, scorer.name, 0, why)
    return compare(
        (challenger.name, challenger.predictions),
        (other.name, other.predictions),
        challenger.unseen & other.unseen,
        points,
        scorer,
        minimum_points=job.minimum_points,
        confidence=job.selection.confidence if job.selection else INTERVAL,
        resamples=job.resamples,
        seed=job.seed,
    )


def _ranking_scorer(job: TestingJob, scorers: list[Scorer]) -> Scorer:
    """Return the scoring function that decides; without a gate the first."""
    if job.selection is None:
        return scorers[0]
    for scorer in scorers:
        if scorer.name == job.selection.scoring:
            return scorer
    raise Refused(
        f"deployment.selection.scoring is {job.selection.scoring}, which testing.scoring does not have: add it there."
    )


def _model_scores(judged: JudgedModel, scores: Scores, newer: NewPointsResult | None) -> ModelScores:
    return ModelScores(
        model=judged.name,
        points=int(judged.unseen.sum()),
        scores=scores.scores,
        undefined=scores.undefined,
        new=newer,
    )
