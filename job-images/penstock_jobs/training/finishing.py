"""From one of the best candidates to a Model: fitted again, calibrated, its threshold chosen, saved.

The seed is the candidate's, so the fit is the one that was scored (unless `refit` asks for the validation rows too).

With a holdout, calibration and threshold are fitted on the validation set, which the estimator has not seen; with
folds they are fitted out of fold. Candidates are ranked without them (but at the threshold, where the manifest fixes
one), so the ranking flatters none. A validation score taken after them would flatter the Model; the testing set is
where a calibrated Model is judged. With `refit` both are those of the fit that had not seen the validation rows.
"""

from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from penstock_jobs.contract import document
from penstock_jobs.contract.result import ModelReference
from penstock_jobs.contract.specification import ScoringSpec, TrainingJob
from penstock_jobs.models.fitted import FittedModel
from penstock_jobs.models.saving import find_saved_model, save_model
from penstock_jobs.reading.model_rules import features_with_null_texts
from penstock_jobs.scoring import Predictions, load_scorer, positive_index
from penstock_jobs.serving.warming import rehearse
from penstock_jobs.source.archive import content_of
from penstock_jobs.storage import open_store
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.curves import curves_key, make_curves
from penstock_jobs.training.data import read_validated
from penstock_jobs.training.estimators import parameters_as_json
from penstock_jobs.training.evaluation import EvaluationContext, fit, fit_estimator, predict_at_threshold
from penstock_jobs.training.origin import lineage_of, origin_of, reading_of
from penstock_jobs.training.preprocessing import FeatureLayout, build_transformer
from penstock_jobs.training.splits import Rows
from penstock_jobs.training.tasks import Save

_MOST_THRESHOLDS = 1000


def save(task: Save, job: TrainingJob, context: EvaluationContext, folder: Path) -> ModelReference:
    """Fit the candidate as a Model, and save it."""
    saved = find_saved_model(open_store(job.models), task.name, job.run.uid, task.candidate.identity)
    if saved is not None:
        return saved
    data = context.data
    scored = fit_pipeline(task.candidate, context, slice(0, data.training_rows))
    estimator = scored
    if job.refit == "TrainingAndValidation" and data.training_rows < len(data.target):
        estimator = fit_pipeline(task.candidate, context, slice(0, len(data.target)))
    if job.calibration != "None":
        estimator = _calibrate(task.candidate, job, context, scored, estimator)
    threshold = job.decision.threshold
    if job.decision.tune is not None:
        threshold = _tune_threshold(task.candidate, job, context, _estimator_as_scored(job, estimator, scored))
    index = positive_index(data.classes, job.target.positive) if data.classes else None
    reading = reading_of(job, data)
    model = FittedModel(
        name=task.name,
        estimator=estimator,
        features=features_with_null_texts(data.features, reading),
        task=job.task,
        target=job.target.column,
        target_type=next(column.type for column in job.columns if column.name == job.target.column),
        validation=read_validated(folder),
        origin=origin_of(task.candidate, job, parameters_as_json(task.candidate)),
        lineage=lineage_of(job, data),
        classes=data.classes,
        positive=None if index is None else data.classes[index],
        threshold=threshold,
        threshold_tuned_for=job.decision.tune,
        calibration=job.calibration,
        scores=task.row.scores,
        reading=reading,
    )
    if task.curves:  # before the Model, whose manifest says that all of this was done
        content = document.encode(make_curves(task.candidate, context, scored))
        open_store(job.run_storage).write(curves_key(task.name), content)
    archive = job.source.archive if job.source else None
    source = None if archive is None else partial(content_of, archive)
    return save_model(open_store(job.models), model, rehearse, job.trusted_types, source=source)


def fit_pipeline(candidate: Candidate, context: EvaluationContext, rows: Rows) -> Pipeline:
    """Return the candidate's Pipeline, every step of it fitted on these rows and on no others."""
    factory = context.factories[candidate.algorithm]
    estimator = factory(candidate)
    transformer = build_transformer(context.recipe(candidate, estimator), FeatureLayout.of(context.data.features))
    inputs = context.data.frame.iloc[rows]
    if transformer is not None:
        inputs = transformer.fit_transform(inputs, context.data.target[rows])
    fit_estimator(estimator, factory, inputs, context.data, rows)
    return _join_pipeline(transformer, estimator)


def _join_pipeline(transformer: Any | None, estimator: Any) -> Pipeline:
    before = [] if transformer is None else [("preprocessing", transformer)]
    return Pipeline([*before, ("estimator", estimator)])


def _calibrate(
    candidate: Candidate, job: TrainingJob, context: EvaluationContext, scored: Pipeline, final: Pipeline
) -> CalibratedClassifierCV:
    """Return the final estimator with probabilities calibrated on rows that the fit before them had not seen."""
    data, method = context.data, job.calibration.lower()
    weights = {} if data.weight is None else {"sample_weight": data.weight}
    if job.validation_rule.folds is None:
        rows = slice(data.training_rows, len(data.target))
        calibrated = _make_calibration(scored, method, len(data.target) - data.training_rows)
        calibrated.fit(data.frame.iloc[rows], data.target[rows], **{name: w[rows] for name, w in weights.items()})
        if final is not scored:
            _substitute_estimator(calibrated, final)
        return calibrated
    response = "decision_function" if hasattr(final, "decision_function") else "predict_proba"
    unseen = _record_out_of_fold(candidate, job, context, response)
    calibrated = _make_calibration(unseen, method, len(data.target))
    calibrated.fit(np.arange(len(data.target)).reshape(-1, 1), data.target, **weights)
    _substitute_estimator(calibrated, final)
    return calibrated


def _make_calibration(estimator: Any, method: str, rows: int) -> CalibratedClassifierCV:
    """Return an unfitted calibration of a fitted estimator on all rows at once, however few there are of a class."""
    every = np.arange(rows)
    return CalibratedClassifierCV(FrozenEstimator(estimator), method=method, cv=[(every, every)], ensemble=False)


def _substitute_estimator(calibrated: CalibratedClassifierCV, estimator: Any) -> None:
    """Put the estimator in the place of the one whose answers the calibration was fitted on."""
    frozen = FrozenEstimator(estimator)
    calibrated.estimator = frozen
    calibrated.calibrated_classifiers_[0].estimator = frozen
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(calibrated, name, getattr(estimator, name))


def _available_for(response: str) -> Any:
    return available_if(lambda estimator: estimator.response == response)


class _RecordedEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Answers the positions of rows with what was recorded of those rows: its calibration is that of who said it."""

    def __init__(self, classes: tuple[Any, ...], response: str, answers: npt.NDArray[np.float64]) -> None:
        self.classes, self.response, self.answers = classes, response, answers
        self.classes_ = np.array(classes)

    def fit(self, positions: Any, target: Any) -> "_RecordedEstimator":
        return self

    def predict(self, positions: Any) -> npt.NDArray[Any]:
        answers = self.answers[positions[:, 0]]
        return np.asarray(self.classes_[answers.argmax(axis=1) if answers.ndim == 2 else (answers > 0).astype(int)])

    @_available_for("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, positions: Any) -> npt.NDArray[np.float64]:
        return np.asarray(self.answers[positions[:, 0]])

    @_available_for("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, positions: Any) -> npt.NDArray[np.float64]:
        return np.asarray(self.answers[positions[:, 0]])


def _record_out_of_fold(
    candidate: Candidate, job: TrainingJob, context: EvaluationContext, response: str
) -> _RecordedEstimator:
    """Return what the fits of the first repeat, weights and early stopping included, say of the rows they left out."""
    data = context.data
    answered: npt.NDArray[np.float64] | None = None
    for number, split in enumerate(context.splits[: job.validation_rule.folds]):
        estimator, prepared = fit(candidate, context, split, number)
        answer = np.asarray(getattr(estimator, response)(prepared.score), dtype=np.float64)
        if answered is None:
            answered = np.empty((len(data.target), *answer.shape[1:]))
        answered[split.score] = answer
    if answered is None:
        raise ValueError("There are no folds to calibrate on")
    return _RecordedEstimator(data.classes, response, answered)


def _tune_threshold(candidate: Candidate, job: TrainingJob, context: EvaluationContext, scored: Any) -> float:
    """Return the threshold of the best score, on the validation set or out of fold; of equal ones that nearest 0.5."""
    data = context.data
    scoring = job.decision.scoring or ScoringSpec(name=str(job.decision.tune))
    scorer = load_scorer(scoring, job.task, data.classes, job.target.positive)
    index = positive_index(data.classes, job.target.positive)
    truth, predictions, weight = predict_out_of_sample(candidate, context, scored)
    if index is None or predictions.probabilities is None:
        raise ValueError("A decision threshold needs two classes and probabilities")
    reached = np.unique(predictions.probabilities[:, index])
    if len(reached) > _MOST_THRESHOLDS:
        reached = np.quantile(reached, np.linspace(0, 1, _MOST_THRESHOLDS))
    # Between two probabilities that occur, so that rounding in the served file cannot turn a label.
    thresholds = np.unique(np.concatenate([(reached[1:] + reached[:-1]) / 2, [0.5]]))
    scores = [
        scorer.score(truth, predictions.apply_threshold(float(threshold), data.classes, index), weight)
        for threshold in thresholds
    ]
    best = np.nanmax(scores)
    return float(min(thresholds[np.array(scores) == best], key=lambda threshold: abs(threshold - 0.5)))


def predict_out_of_sample(
    candidate: Candidate, context: EvaluationContext, scored: Any
) -> tuple[npt.NDArray[Any], Predictions, npt.NDArray[np.float64] | None]:
    """Return true values, predictions and weights of rows that each fit had not seen, one split after the other."""
    data = context.data
    parts = []
    for number, split in enumerate(context.splits):
        if len(context.splits) == 1:
            parts.append(predict_at_threshold(scored, data.frame.iloc[split.score], context))
        else:
            estimator, prepared = fit(candidate, context, split, number)
            parts.append(predict_at_threshold(estimator, prepared.score, context))
    probabilities = [part.probabilities for part in parts if part.probabilities is not None]
    predictions = Predictions(
        np.concatenate([part.labels for part in parts]), np.concatenate(probabilities) if probabilities else None
    )
    truth = np.concatenate([data.target[split.score] for split in context.splits])
    weight = None if data.weight is None else np.concatenate([data.weight[split.score] for split in context.splits])
    return truth, predictions, weight


def _estimator_as_scored(job: TrainingJob, estimator: Any, scored: Any) -> Any:
    """Return the estimator whose probabilities the threshold is for, as it was before it saw the validation rows."""
    if job.calibration == "None" or job.validation_rule.folds is not None:
        return scored
    if job.refit == "None":
        return estimator
    calibrated = copy(estimator)
    inner = copy(estimator.calibrated_classifiers_[0])
    inner.estimator = FrozenEstimator(scored)
    calibrated.calibrated_classifiers_ = [inner]
    return calibrated
