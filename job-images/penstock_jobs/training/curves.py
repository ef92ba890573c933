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
_MOST_SPLITS = 5
CURVES = Form("curves", 1, since="0.1.0")


class LearningPoint(Document, frozen=True):
    """The ranking score after learning from so many rows: on those rows, and on validation.

    Over several folds these are means, with the standard deviation over the folds as the spread.
    """

    rows: int
    training: float
    validation: float
    training_spread: float | None = None
    validation_spread: float | None = None


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
    folds: int = 1
    of_folds: int = 1
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
        folds=min(len(context.splits), _MOST_SPLITS),
        of_folds=len(context.splits),
    )


def _point(candidate: Candidate, context: EvaluationContext, share: float) -> LearningPoint | None:
    """Return the mean over the splits, each learnt from this share of its rows; None where one cannot be."""
    rows, sides = [], []
    for split in context.splits[:_MOST_SPLITS]:
        positions = np.arange(len(context.data.target))[split.fit]
        chosen = positions[: max(2, round(len(positions) * share))]
        scores = _score_both_sides(candidate, context, RowSplit(chosen, split.score))
        if scores is None:
            return None
        rows.append(len(chosen))
        sides.append(scores)
    (training, validation), several = np.array(sides).T, len(sides) > 1
    return LearningPoint(
        rows=round(float(np.mean(rows))),
        training=float(training.mean()),
        validation=float(validation.mean()),
        training_spread=float(training.std(ddof=1)) if several else None,
        validation_spread=float(validation.std(ddof=1)) if several else None,
    )


def _score_both_sides(candidate: Candidate, context: EvaluationContext, split: RowSplit) -> tuple[float, float] | None:
    data, factory, scorer = context.data, context.factories[candidate.algorithm], context.scorers[0]
    estimator = factory(candidate)
    try:
        prepared = prepare(context.recipe(candidate, estimator), data, split)
        fit_estimator(estimator, factory, prepared.fit, data, split.fit)
        training, validation = (
            scorer.score(
                data.target[rows],
                predict_at_threshold(estimator, inputs, context),
                None if data.weight is None else data.weight[rows],
            )
            for inputs, rows in ((prepared.fit, split.fit), (prepared.score, split.score))
        )
    except Exception:  # too few rows for this estimator, or for all classes to be among them
        return None
    return (training, validation) if math.isfinite(training) and math.isfinite(validation) else None


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
