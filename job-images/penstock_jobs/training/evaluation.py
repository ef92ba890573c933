"""One candidate: fitted on the rows of each split, scored on the others, told as a row."""

import math
import time
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from penstock_jobs.contract.errors import JobError
from penstock_jobs.contract.result import CandidateRow
from penstock_jobs.contract.specification import PreprocessingSpec
from penstock_jobs.scoring import Predictions, Scorer, positive_index, predict
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.data import TrainingData
from penstock_jobs.training.estimators import Factory, parameters_as_json
from penstock_jobs.training.preprocessing import FeatureLayout, Recipe, build_transformer, choose_recipe
from penstock_jobs.training.splits import Rows, RowSplit, find_missing_class, mix_draws

_LONGEST = 500
_WARNINGS = 3


@dataclass(frozen=True)
class EvaluationContext:
    """All that a candidate needs to be tried: rows, splits, how to make estimators, and how to score them.

    Attributes:
        threshold: The fixed probability from which the positive class is predicted, or None.
        cache: The last transformed rows of this process.
    """

    data: TrainingData
    splits: tuple[RowSplit, ...]
    factories: dict[str, Factory]
    scorers: tuple[Scorer, ...]
    preprocessing: PreprocessingSpec
    positive: object = None
    threshold: float | None = None
    cache: "TransformCache" = field(default_factory=lambda: TransformCache(0))

    def recipe(self, candidate: Candidate, estimator: Any) -> Recipe:
        """Return how the rows are preprocessed for this candidate."""
        return choose_recipe(self.preprocessing, estimator, self.factories[candidate.algorithm].algorithm.scale)


@dataclass(frozen=True)
class TransformedSplit:
    """Rows behind a transformer that was fitted on those to fit on."""

    transformer: Any | None
    fit: Any
    score: Any


class TransformCache:
    """The transformed rows that this process made last.

    A transformer is a function of its recipe and of the rows it is fitted on, so two candidates with the same recipe
    get the same arrays as if each had fitted its own; and the candidate's own Pipeline is what is saved.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[Recipe, int], TransformedSplit] = OrderedDict()
        self._size = 0

    def transform_split(self, recipe: Recipe, number: int, data: TrainingData, split: RowSplit) -> TransformedSplit:
        """Return the rows of a split behind the recipe's transformer."""
        key = (recipe, number)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        prepared = prepare(recipe, data, split)
        size = _size(prepared)
        if size <= self._limit:
            self._kept[key] = prepared
            self._size += size
            while self._size > self._limit:
                self._size -= _size(self._kept.popitem(last=False)[1])
        return prepared


def evaluate(candidate: Candidate, context: EvaluationContext) -> CandidateRow:
    """Return the candidate's row: its scores, or the error that it ended with."""
    factory = context.factories[candidate.algorithm]
    row = CandidateRow(
        candidate=candidate.identity,
        index=candidate.index,
        algorithm=candidate.algorithm,
        estimator=candidate.estimator,
        parameters=parameters_as_json(candidate),
        seed=candidate.seed,
        baseline=factory.baseline,
    )
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            values, seconds = _score_on_splits(candidate, context)
        except Exception as error:
            return msgspec.structs.replace(row, error=_sentence(error), fit_seconds=time.perf_counter() - began)
    scores = tuple(
        scorer.result(
            float(np.mean(column)),
            spread=float(np.std(column, ddof=1)) if len(column) > 1 else None,
        )
        for scorer, column in zip(context.scorers, values.T, strict=True)
    )
    said = tuple(dict.fromkeys(str(one.message).partition("\n")[0][:_LONGEST] for one in caught))[:_WARNINGS]
    undefined = [score.name for score in scores if not math.isfinite(score.value)]
    if undefined and not factory.baseline:
        lacking = find_missing_class(context.splits, context.data.target, context.data.classes)
        why = f": {lacking}. Use fewer folds, or more data." if lacking else "."
        return msgspec.structs.replace(row, error=f"Its {undefined[0]} is not a number{why}", warnings=said)
    return msgspec.structs.replace(
        row,
        scores=tuple(score for score in scores if math.isfinite(score.value)),
        fit_seconds=seconds[0],
        score_seconds=seconds[1],
        warnings=said,
    )


def _score_on_splits(
    candidate: Candidate, context: EvaluationContext
) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    values = np.empty((len(context.splits), len(context.scorers)))
    fitting = scoring = 0.0
    for number, split in enumerate(context.splits):
        began = time.perf_counter()
        estimator, prepared = fit(candidate, context, split, number)
        fitted = time.perf_counter()
        predictions = predict_at_threshold(estimator, prepared.score, context)
        truth = context.data.target[split.score]
        weight = None if context.data.weight is None else context.data.weight[split.score]
        values[number] = [scorer.score(truth, predictions, weight) for scorer in context.scorers]
        fitting, scoring = fitting + fitted - began, scoring + time.perf_counter() - fitted
    return values, (fitting, scoring)


def fit(candidate: Candidate, context: EvaluationContext, split: RowSplit, number: int) -> tuple[Any, TransformedSplit]:
    """Return the candidate's estimator, fitted on the split, and the rows as it saw them."""
    factory = context.factories[candidate.algorithm]
    estimator = factory(candidate)
    prepared = context.cache.transform_split(context.recipe(candidate, estimator), number, context.data, split)
    fit_estimator(estimator, factory, prepared.fit, context.data, split.fit)
    return estimator, prepared


def fit_estimator(estimator: Any, factory: Factory, inputs: Any, data: TrainingData, rows: Rows) -> None:
    """Fit on rows that are transformed already; early stopping looks at a slice of them where the estimator lets us."""
    target = data.target[rows]
    arguments: dict[str, Any] = {}
    if factory.weighted and data.weight is not None:
        arguments["sample_weight"] = data.weight[rows]
    stopping = factory.algorithm.early_stopping
    if stopping is None or not factory.watches:
        estimator.fit(inputs, target, **arguments)
        return
    watched = mix_draws(data.draw[rows], 1_000_003) < np.uint64(int(stopping.share * 2**64))
    arguments |= {"X_val": _take(inputs, watched), "y_val": target[watched]}
    if "sample_weight" in arguments:
        arguments["sample_weight_val"] = arguments["sample_weight"][watched]
        arguments["sample_weight"] = arguments["sample_weight"][~watched]
    estimator.fit(_take(inputs, ~watched), target[~watched], **arguments)


def prepare(recipe: Recipe, data: TrainingData, split: RowSplit) -> TransformedSplit:
    """Fit the recipe's transformer on the rows to fit on, and transform both sides."""
    transformer = build_transformer(recipe, FeatureLayout.of(data.features))
    rows, others = data.frame.iloc[split.fit], data.frame.iloc[split.score]
    if transformer is None:
        return TransformedSplit(None, rows, others)
    inputs = transformer.fit_transform(rows, data.target[split.fit])
    return TransformedSplit(transformer, inputs, transformer.transform(others))


def predict_at_threshold(estimator: Any, inputs: Any, context: EvaluationContext) -> Predictions:
    """Return the estimator's predictions, at the decision threshold where one is fixed."""
    predictions = predict(estimator, inputs, classification=bool(context.data.classes))
    if context.threshold is None:
        return predictions
    index = positive_index(context.data.classes, context.positive)
    if index is None:
        raise ValueError("A decision threshold needs two classes and target.positive.")
    return predictions.apply_threshold(context.threshold, context.data.classes, index)


def _take(inputs: Any, mask: npt.NDArray[np.bool_]) -> Any:
    return inputs.iloc[mask] if hasattr(inputs, "iloc") else inputs[np.flatnonzero(mask)]


def _size(prepared: TransformedSplit) -> int:
    return sum(_bytes(inputs) for inputs in (prepared.fit, prepared.score))


def _bytes(inputs: Any) -> int:
    if hasattr(inputs, "nbytes"):
        return int(inputs.nbytes)
    if hasattr(inputs, "indptr"):
        return int(inputs.data.nbytes + inputs.indices.nbytes + inputs.indptr.nbytes)
    return int(inputs.memory_usage().sum())


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())[:_LONGEST]
    return text if isinstance(error, JobError) else f"{type(error).__name__}: {text}"
