"""What the report draws of how a Model learned: its scores by the number of rows, and the loss it followed."""

import math
from typing import Any, ClassVar

import numpy as np

from penstock_jobs.contract.document import Document, Form, VersionedDocument, format_of
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.evaluation import EvaluationContext, fit_estimator, predict_at_threshold, prepare
from penstock_jobs.training.splits import RowSplit

_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
_LONGEST = 500
CURVES = Form("curves", 1, since="0.1.0")


class LearningPoint(Document, frozen=True):
    """The ranking score after learning from so many rows: on those rows, and on validation."""

    rows: int
    training: float
    validation: float


class Curves(VersionedDocument, frozen=True):
    """The learning curve, and the losses of each epoch or round where the estimator tells them.

    `loss` and `stopping` are as the estimator has them: `loss` on the rows fitted on, `stopping` on the slice that
    early stopping watched. `stopping_is_score` says that there greater is better.
    """

    form: ClassVar[Form] = CURVES

    scoring: str
    learning: tuple[LearningPoint, ...] = ()
    loss: tuple[float, ...] = ()
    stopping: tuple[float, ...] = ()
    stopping_is_score: bool = False
    format: str = format_of(CURVES)


def curves_key(model: str) -> str:
    """Return where, in the run's storage, the curves of a Model are."""
    return f"candidates/curves/{model}.json"


def make_curves(candidate: Candidate, context: EvaluationContext, fitted: Any) -> Curves:
    """Return the curves of a candidate; rows are in the order of their hashes, so the first few are a random sample."""
    points = [point for share in _SHARES if (point := _point(candidate, context, share)) is not None]
    estimator = fitted[-1]
    loss, stopping, is_score = _losses(estimator)
    return Curves(
        scoring=context.scorers[0].name,
        learning=tuple(points),
        loss=_thin(loss),
        stopping=_thin(stopping),
        stopping_is_score=is_score,
    )


def _point(candidate: Candidate, context: EvaluationContext, share: float) -> LearningPoint | None:
    data, whole = context.data, context.splits[0]
    positions = np.arange(len(data.target))[whole.fit]
    split = RowSplit(positions[: max(2, round(len(positions) * share))], whole.score)
    factory = context.factories[candidate.algorithm]
    estimator = factory(candidate)
    scorer = context.scorers[0]
    try:
        prepared = prepare(context.recipe(candidate, estimator), data, split)
        fit_estimator(estimator, factory, prepared.fit, data, split.fit)
        sides = []
        for inputs, rows in ((prepared.fit, split.fit), (prepared.score, split.score)):
            weight = None if data.weight is None else data.weight[rows]
            sides.append(scorer.score(data.target[rows], predict_at_threshold(estimator, inputs, context), weight))
    except Exception:  # too few rows for this estimator, or for all classes to be among them
        return None
    if not all(map(math.isfinite, sides)):
        return None
    return LearningPoint(
        rows=len(positions[: max(2, round(len(positions) * share))]), training=sides[0], validation=sides[1]
    )


def _losses(estimator: Any) -> tuple[Any, Any, bool]:
    """Return loss by epoch, and what early stopping watched, from the names that estimators keep them under."""
    history = getattr(estimator, "history_", None)
    if history is not None:
        watched = [one["stopping_loss"] for one in history if one.get("stopping_loss") is not None]
        return [one["training_loss"] for one in history], watched, False
    if hasattr(estimator, "loss_curve_"):
        return estimator.loss_curve_, getattr(estimator, "validation_scores_", None), True
    if hasattr(estimator, "train_score_"):
        scores = np.asarray(estimator.train_score_, dtype=float)
        if hasattr(estimator, "validation_score_"):  # histogram boosting keeps negative losses
            return -scores, -np.asarray(estimator.validation_score_, dtype=float), False
        return scores, None, False
    return None, None, False


def _thin(values: Any) -> tuple[float, ...]:
    if values is None:
        return ()
    array = np.asarray(values, dtype=float)
    chosen = (
        array[np.unique(np.linspace(0, len(array) - 1, min(len(array), _LONGEST)).astype(int))] if len(array) else array
    )
    return tuple(float(value) for value in chosen if math.isfinite(value))
