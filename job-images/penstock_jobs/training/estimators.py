"""From a dotted path and hyper-parameters to an estimator, with every mistake found before anything is trained."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import AlgorithmSpec, EarlyStoppingSpec, ParameterSpec, Task
from penstock_jobs.importing import accepts, import_object, suggest_nearest
from penstock_jobs.training.candidates import Candidate, is_range

BASELINE = "baseline"
# The names under which estimators know the two ends of early stopping.
_SHARE = ("validation_fraction",)
_PATIENCE = ("n_iter_no_change", "patience")


@dataclass(frozen=True)
class Factory:
    """Makes the unfitted estimator of each candidate of one algorithm.

    Attributes:
        defaults: What is set before the candidate's own hyper-parameters: threads, early stopping.
        seeded: Whether the estimator has a `random_state` that the manifest leaves alone.
        watches: Whether `fit` takes `X_val` and `y_val`, the slice of training that early stopping looks at.
        weighted: Whether `fit` takes `sample_weight`.
        baseline: Whether it is the estimator that looks at no feature.
    """

    algorithm: AlgorithmSpec
    kind: Callable[..., Any]
    defaults: tuple[tuple[str, Any], ...]
    seeded: bool
    watches: bool
    weighted: bool
    baseline: bool = False

    def __call__(self, candidate: Candidate) -> Any:
        """Return the candidate's estimator, with its seed."""
        seed = {"random_state": candidate.seed} if self.seeded else {}
        return self.kind(**{**dict(self.defaults), **seed, **dict(candidate.parameters)})


def load_algorithm(algorithm: AlgorithmSpec, task: Task, threads: int) -> Factory:
    """Return the factory of an algorithm's estimators.

    Raises:
        Refused: There is no such estimator, it is not for this task, a hyper-parameter is unknown, or a value is none
            that it takes.
    """
    what = f"The estimator of algorithm {algorithm.name}"
    kind = import_object(algorithm.estimator, what)
    if not inspect.isclass(kind) or not hasattr(kind, "fit") or not hasattr(kind, "get_params"):
        raise Refused(f"{what} is {algorithm.estimator}, which is not a scikit-learn estimator.")
    example = _example(kind, algorithm)
    _check_task(example, task, algorithm)
    known = example.get_params(deep=True)
    given = {parameter.name for parameter in algorithm.parameters}
    _check_names(kind, known, algorithm)
    _check_values(example, algorithm)
    _check_available(kind, algorithm)
    defaults: dict[str, Any] = {"n_jobs": threads} if threads > 1 and "n_jobs" in known else {}
    if algorithm.early_stopping is not None:
        defaults |= _early_stopping(algorithm, algorithm.early_stopping, known)
    return Factory(
        algorithm=algorithm,
        kind=kind,
        defaults=tuple((name, value) for name, value in defaults.items() if name not in given),
        seeded="random_state" in known and "random_state" not in given,
        watches=algorithm.early_stopping is not None and accepts(kind.fit, "X_val"),
        weighted=accepts(kind.fit, "sample_weight"),
    )


def baseline(task: Task) -> Factory:
    """Return the factory of what every candidate is compared with: the classes' shares, or the mean."""
    algorithm = AlgorithmSpec(
        name=BASELINE,
        estimator="sklearn.dummy.DummyClassifier" if task == "Classification" else "sklearn.dummy.DummyRegressor",
        parameters=(ParameterSpec(name="strategy", value="prior" if task == "Classification" else "mean"),),
    )
    return replace(load_algorithm(algorithm, task, 1), baseline=True)


def _example(kind: Callable[..., Any], algorithm: AlgorithmSpec) -> Any:
    required = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    }
    given = {parameter.name: (*parameter.values, parameter.value)[0] for parameter in algorithm.parameters}
    missing = [name for name in required if name not in given]
    if missing:
        raise Refused(f"Algorithm {algorithm.name} needs the hyper-parameter {missing[0]} of {algorithm.estimator}.")
    try:
        return kind(**{name: given[name] for name in required})
    except Exception as error:
        raise Refused(f"{algorithm.estimator} of algorithm {algorithm.name} cannot be made: {error}.") from error


def _check_task(example: Any, task: Task, algorithm: AlgorithmSpec) -> None:
    try:
        fits = is_classifier(example) if task == "Classification" else is_regressor(example)
    except (AttributeError, NotFittedError) as error:
        raise Refused(f"{algorithm.estimator} is not a scikit-learn estimator: {error}.") from error
    if not fits:
        wanted = "classifier" if task == "Classification" else "regressor"
        raise Refused(
            f"Algorithm {algorithm.name} is {algorithm.estimator}, which is not a {wanted}; the task is {task}."
        )


def _check_names(kind: Callable[..., Any], known: dict[str, Any], algorithm: AlgorithmSpec) -> None:
    open_ended = any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in inspect.signature(kind).parameters.values()
    )
    for parameter in algorithm.parameters:
        if parameter.name in known or (open_ended and "__" in parameter.name):
            continue
        raise Refused(
            f"{algorithm.estimator} of algorithm {algorithm.name} has no hyper-parameter {parameter.name}"
            f"{suggest_nearest(parameter.name, list(known))}."
        )


def _check_values(example: Any, algorithm: AlgorithmSpec) -> None:
    """Hold each value against scikit-learn's own constraints, where the estimator states them."""
    constraints = getattr(example, "_parameter_constraints", {})
    for parameter in algorithm.parameters:
        if parameter.name not in constraints:
            continue
        for value in _samples(parameter):
            try:
                validate_parameter_constraints(
                    {parameter.name: constraints[parameter.name]}, {parameter.name: value}, algorithm.estimator
                )
            except InvalidParameterError as error:
                reason = str(error).partition(" must be ")[2].partition(" Got ")[0].rstrip(".")
                raise Refused(
                    f"Hyper-parameter {parameter.name} of algorithm {algorithm.name} is {value!r}; it must be {reason}."
                ) from error


def _check_available(kind: Callable[..., Any], algorithm: AlgorithmSpec) -> None:
    """Have an estimator that needs more than scikit-learn (a library, one's own module) look whether it is there."""
    if not hasattr(kind, "check_available"):
        return
    first = {parameter.name: _samples(parameter)[0] for parameter in algorithm.parameters}
    others = [{**first, one.name: value} for one in algorithm.parameters for value in _samples(one)[1:]]
    for parameters in (first, *others):
        kind(**parameters).check_available()


def _samples(parameter: Any) -> tuple[Any, ...]:
    if not is_range(parameter):
        return parameter.values or (parameter.value,)
    ends = (parameter.low, parameter.high)
    return tuple(int(end) if parameter.integer else float(end) for end in ends)


def _early_stopping(algorithm: AlgorithmSpec, rule: EarlyStoppingSpec, known: dict[str, Any]) -> dict[str, Any]:
    patience = [name for name in _PATIENCE if name in known]
    share = [name for name in _SHARE if name in known]
    if not patience or not share:
        raise Refused(
            f"{algorithm.estimator} of algorithm {algorithm.name} has no early stopping; leave earlyStopping out."
        )
    settings: dict[str, Any] = {patience[0]: rule.patience, share[0]: rule.share, "tol": rule.tolerance}
    if "early_stopping" in known:
        settings["early_stopping"] = True
    return {name: value for name, value in settings.items() if name in known}


def parameters_as_json(candidate: Candidate) -> dict[str, Any]:
    """Return the hyper-parameters as JSON can say them; what it has no word for is given as Python writes it."""
    return {name: _to_json(value) for name, value in candidate.parameters}


def _to_json(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value)
    except (TypeError, ValueError):
        return repr(value)
