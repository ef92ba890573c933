"""Scoring functions by name, checked against the task before anything is trained.

A classification is scored on the places of the classes and not on their labels: two classes become 0 and 1, where 1 is
the positive one, and k classes become 0 … k-1, the columns of the probabilities. So `f1` and `roc_auc`, which raise on
yes/no labels, or on ten classes, unless they are told more, work on any labels. With more than two classes the averages
that have no default of their own are macro averages, and `roc_auc` is one-vs-rest.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.metrics import get_scorer, get_scorer_names

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import ScoreResult
from penstock_jobs.contract.score_display import ScoreDisplay, average_words, is_shown_as_error
from penstock_jobs.contract.specification import ScoringSpec, Task
from penstock_jobs.importing import accepts, import_object, suggest_nearest
from penstock_jobs.scoring.classes import encode_classes, positive_index
from penstock_jobs.scoring.predictions import Predictions
from penstock_jobs.scoring.ranges import range_of

# Of two classes these look at one only; the others are the same whichever is called positive.
_ABOUT_ONE_CLASS = {
    "average_precision",
    "f1",
    "jaccard",
    "neg_negative_likelihood_ratio",
    "positive_likelihood_ratio",
    "precision",
    "recall",
}
_AVERAGES = ("binary", "macro", "micro", "weighted")


@dataclass(frozen=True)
class Scorer:
    """A scoring function that knows the task and its classes. Scores are on scikit-learn's scale: greater is better.

    Attributes:
        name: The name in the manifest.
        responses: What it looks at, in order of preference: `predict`, `predict_proba`, `decision_function`.
        average: How the scores of the classes become one, in words; empty where there is nothing to average.
    """

    name: str
    responses: tuple[str, ...]
    _function: Callable[..., Any]
    _sign: float
    _weighted: bool
    _classes: tuple[Any, ...]
    _positive: int | None
    _own: bool
    average: str = ""

    @property
    def display(self) -> ScoreDisplay:
        """How its scores are shown."""
        return ScoreDisplay(self.name, is_shown_as_error(self.name, not self._own or self._sign > 0), self.average)

    def result(self, value: float, **ends: float | None) -> ScoreResult:
        """Return a score of this function, with what is needed to show it."""
        return ScoreResult(
            name=self.name,
            value=value,
            average=self.average,
            greater_is_better=not self._own or self._sign > 0,
            **ends,
        )

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value that it can have, infinite where there is none."""
        return (-math.inf, math.inf) if self._own else range_of(self.name)

    @property
    def share(self) -> Literal["all", "true", "predicted"] | None:
        """Of which points it is the share that is right: all, those that are truly positive, or those called so."""
        base = self.name.removesuffix("_micro")
        if self._own or base not in ("accuracy", "precision", "recall"):
            return None
        if base == "accuracy" or self.average == "micro":
            return "all"
        if self.average or self._positive is None:
            return None
        return "true" if base == "recall" else "predicted"

    def score(
        self,
        y_true: npt.NDArray[Any],
        predictions: Predictions,
        sample_weight: npt.NDArray[np.float64] | None = None,
    ) -> float:
        """Return the score of the predictions, greater is better; NaN where the function says NaN.

        Args:
            y_true: True classes or values, shape (n,).
            predictions: The answers to the same n rows.
            sample_weight: A weight a row, shape (n,); left out where the scoring function takes none.

        Raises:
            Refused: The function needs probabilities, and there are none.
            ValueError: The scoring function itself refuses these values.
        """
        truth, answer = self._arguments(np.asarray(y_true), predictions)
        weights = {"sample_weight": sample_weight} if sample_weight is not None and self._weighted else {}
        value = self._function(truth, answer, **weights)
        return self._sign * _require_number(value, self.name)

    def _arguments(self, y_true: npt.NDArray[Any], predictions: Predictions) -> tuple[Any, Any]:
        response, answer = self._answer(predictions)
        if not self._classes:
            return y_true, answer
        if self._own:
            return y_true, self._positive_column(answer) if response == "predict_proba" else answer
        truth = self._encode(y_true)
        if response == "predict":
            return truth, self._encode(answer)
        if len(self._classes) > 2:
            return truth, answer
        if response == "decision_function":
            return truth, answer if self._position_of_one() == 1 else -answer
        return truth, self._positive_column(answer)

    def _answer(self, predictions: Predictions) -> tuple[str, npt.NDArray[Any]]:
        given = {
            "predict": predictions.labels,
            "predict_proba": predictions.probabilities,
            "decision_function": predictions.decision,
        }
        for response in self.responses:
            answer = given[response]
            if answer is not None:
                return response, answer
        raise Refused(f"Scoring {self.name} needs {' or '.join(self.responses)}, which the estimator does not give.")

    def _encode(self, labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        places = encode_classes(labels, self._classes)
        if len(self._classes) == 2 and self._position_of_one() == 0:
            return np.where(places < 0, places, 1 - places)
        return places

    def _positive_column(self, probabilities: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return probabilities[:, self._position_of_one()] if len(self._classes) == 2 else probabilities

    def _position_of_one(self) -> int:
        return 1 if self._positive is None else self._positive


def load_scorers(scorings: Iterable[ScoringSpec], task: Task, classes: Sequence[Any], positive: object) -> list[Scorer]:
    """Return the scorers, in order, each checked against the task.

    Args:
        scorings: What the manifest names.
        task: What the target is.
        classes: The classes in the order of the probabilities; empty in a regression.
        positive: `target.positive` of the manifest, or None.
    """
    return [load_scorer(scoring, task, classes, positive) for scoring in scorings]


def load_scorer(scoring: ScoringSpec, task: Task, classes: Sequence[Any], positive: object) -> Scorer:
    """Return the scorer that the manifest names.

    Raises:
        Refused: There is no such function, it is not for this task, or it needs to know the positive class.
    """
    known = tuple(classes) if task == "Classification" else ()
    place = positive_index(known, positive) if known else None
    scorer = (
        _load_own_scorer(scoring, known, place)
        if scoring.function
        else _load_sklearn_scorer(scoring, task, known, place)
    )
    _try_out(scorer, task)
    return scorer


def _load_sklearn_scorer(scoring: ScoringSpec, task: Task, classes: tuple[Any, ...], positive: int | None) -> Scorer:
    name = scoring.name
    if name not in get_scorer_names():
        raise Refused(
            f"There is no scoring function {name} in scikit-learn{suggest_nearest(name, get_scorer_names())}; "
            "one's own is given by `function`."
        )
    built_in = get_scorer(name)
    function, sign, settings = built_in._score_func, built_in._sign, dict(built_in._kwargs)
    _check_task(name, function, task)
    if name in _ABOUT_ONE_CLASS and len(classes) == 2 and positive is None and scoring.average in (None, "binary"):
        raise Refused(
            f"Scoring {name} is about one class: say in target.positive which of {classes[0]} and {classes[1]} it is."
        )
    settings |= _settings(scoring, function, settings, classes)
    responses = built_in._response_method
    return Scorer(
        name=name,
        responses=_sort_by_preference((responses,) if isinstance(responses, str) else responses),
        _function=partial(function, **settings),
        _sign=float(sign),
        _weighted=accepts(function, "sample_weight"),
        _classes=classes,
        _positive=positive,
        _own=False,
        average=average_words(name, len(classes), scoring.average),
    )


def _settings(
    scoring: ScoringSpec, function: Callable[..., Any], settings: dict[str, Any], classes: tuple[Any, ...]
) -> dict[str, Any]:
    """Return what the function must be told about these classes."""
    added: dict[str, Any] = {}
    if scoring.average is not None:
        if not accepts(function, "average"):
            raise Refused(f"Scoring {scoring.name} has no average; leave its average out.")
        if scoring.average not in _AVERAGES:
            raise Refused(f"Scoring {scoring.name} has average {scoring.average}; it is one of {', '.join(_AVERAGES)}.")
        added["average"] = scoring.average
    if len(classes) > 2:
        if settings.get("average") == "binary" and scoring.average is None:
            added["average"] = "macro"
        if accepts(function, "multi_class") and "multi_class" not in settings:
            added["multi_class"] = "ovr"
    # A slice may miss a class; the columns of the probabilities still stand for all of them.
    if accepts(function, "labels") and (not accepts(function, "multi_class") or len(classes) > 2):
        average = added.get("average", settings.get("average"))
        if average in (None, "macro") or accepts(function, "multi_class"):
            added["labels"] = list(range(len(classes)))
    return added


def _check_task(name: str, function: Callable[..., Any], task: Task) -> None:
    family = function.__module__.rpartition(".")[2]
    if family == "_supervised":
        raise Refused(f"Scoring {name} compares clusterings, and the task is {task}.")
    if name.endswith("_samples"):
        raise Refused(f"Scoring {name} is for several labels a row, and the target is one column.")
    if (family == "_regression") != (task == "Regression"):
        other = "regressions" if family == "_regression" else "classifications"
        raise Refused(f"Scoring {name} is for {other}, and the task is {task}.")


def _load_own_scorer(scoring: ScoringSpec, classes: tuple[Any, ...], positive: int | None) -> Scorer:
    function = import_object(str(scoring.function), f"Scoring {scoring.name}")
    if not callable(function):
        raise Refused(f"Scoring {scoring.name} is {scoring.function}, which is not a function.")
    if not classes and scoring.response != "predict":
        raise Refused(f"Scoring {scoring.name} asks for {scoring.response}, which a regression does not have.")
    if len(classes) == 2 and positive is None and scoring.response == "predict_proba":
        raise Refused(f"Scoring {scoring.name} looks at the probability of one class: say which in target.positive.")
    return Scorer(
        name=scoring.name,
        responses=(scoring.response,),
        _function=function,
        _sign=1.0 if scoring.greater_is_better else -1.0,
        _weighted=accepts(function, "sample_weight"),
        _classes=classes,
        _positive=positive,
        _own=True,
    )


def _sort_by_preference(responses: tuple[str, ...]) -> tuple[str, ...]:
    """Probabilities first: they are what a served model answers."""
    return tuple(sorted(responses, key=["predict", "predict_proba", "decision_function"].index))


def _try_out(scorer: Scorer, task: Task) -> None:
    """Call the function once on made-up answers, so that what cannot work is known before anything is trained."""
    truth, predictions = _example_answers(scorer._classes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scorer.score(truth, predictions)
    except Refused:
        raise
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".")
        kind = f"{task.lower()} of {len(scorer._classes)} classes" if scorer._classes else "regression"
        if scorer._own:
            raise Refused(
                f"The function of scoring {scorer.name} was tried on the made-up answers of a {kind} and raised "
                f"{type(error).__name__}: {said}."
            ) from error
        raise Refused(f"Scoring {scorer.name} does not fit a {kind}: {said}.") from error


def _example_answers(classes: tuple[Any, ...]) -> tuple[npt.NDArray[Any], Predictions]:
    if not classes:
        truth = np.array([1.0, 2.0, 3.0, 5.0])
        return truth, Predictions(truth + np.array([0.5, -0.25, 0.0, 0.25]))
    places = np.tile(np.arange(len(classes)), 3)
    guesses = np.roll(places, 1)
    guesses[: len(classes) * 2] = places[: len(classes) * 2]
    probabilities = np.full((len(places), len(classes)), 0.5 / max(len(classes) - 1, 1))
    probabilities[np.arange(len(places)), guesses] = 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = np.array(classes)
    decision = probabilities[:, 1] if len(classes) == 2 else probabilities
    return labels[places], Predictions(labels[guesses], probabilities, decision)


def _require_number(value: Any, name: str) -> float:
    if isinstance(value, (bool, str)) or (not np.isscalar(value) and np.ndim(value) != 0):
        raise ValueError(f"scoring {name} returned {type(value).__name__}, not a number")
    return float(value)
