"""Checking estimators of scikit-learn and their hyper-parameters, where scikit-learn is there to tell.

Only scikit-learn's own modules are imported: reading a manifest never runs the code of the user's operations.
"""

import importlib
import inspect
from collections.abc import Iterator
from importlib.util import find_spec
from numbers import Integral
from typing import Any

from penstock.api.findings import Fault, Path, closest_name, format_value
from penstock.api.pipeline import Pipeline
from penstock.api.training import Algorithm, Parameter
from penstock.api.values import read_value


def estimator_faults(pipeline: Pipeline) -> Iterator[Fault]:
    """Yield each estimator or hyper-parameter that scikit-learn does not have, or would refuse."""
    training = pipeline.spec.training
    if training is None or find_spec("sklearn") is None:
        return
    for index, algorithm in enumerate(training.algorithms):
        if algorithm.estimator.startswith("sklearn."):
            yield from _algorithm(pipeline, algorithm, ("spec", "training", "algorithms", index))


def _algorithm(pipeline: Pipeline, algorithm: Algorithm, path: Path) -> Iterator[Fault]:
    estimator = _load_object(algorithm.estimator)
    if not _is_estimator(estimator):
        likely = _closest_estimator(algorithm.estimator)
        ending = f"did you mean {likely}?" if likely else "correct it"
        yield Fault(
            (*path, "estimator"), f"is {algorithm.estimator}, an estimator that scikit-learn does not have; {ending}"
        )
        return
    wrong_kind = list(_kind(pipeline, algorithm, estimator, (*path, "estimator")))
    yield from wrong_kind
    if wrong_kind:
        return
    known = inspect.signature(estimator).parameters
    constraints = getattr(estimator, "_parameter_constraints", {})
    for position, parameter in enumerate(algorithm.parameters):
        at = (*path, "parameters", position)
        if parameter.name not in known and "__" not in parameter.name:
            likely = closest_name(parameter.name, known)
            ending = f"did you mean {likely}?" if likely else f"it has {', '.join(sorted(known))}."
            name = algorithm.estimator.rpartition(".")[2]
            yield Fault((*at, "name"), f"is {parameter.name}, which {name} does not have; {ending}")
        else:
            yield from _values(parameter, constraints.get(parameter.name), at)


def _kind(pipeline: Pipeline, algorithm: Algorithm, estimator: Any, path: Path) -> Iterator[Fault]:
    from sklearn.base import ClassifierMixin, RegressorMixin

    task = pipeline.spec.dataset.task if pipeline.spec.dataset is not None else None
    classifies, regresses = issubclass(estimator, ClassifierMixin), issubclass(estimator, RegressorMixin)
    if not (classifies or regresses):
        yield Fault(path, f"is {algorithm.estimator}, which predicts neither classes nor numbers; take one that does")
    elif task is not None and (classifies, regresses)[task == "Regression"] is False:
        word = "classes" if classifies else "numbers"
        yield Fault(
            path, f"is {algorithm.estimator}, which predicts {word}, and the task is {task}; take one that fits"
        )


def _values(parameter: Parameter, constraints: Any, path: Path) -> Iterator[Fault]:
    if not isinstance(constraints, list):
        return
    given = [((*path, "values", index), value) for index, value in enumerate(parameter.values)]
    if parameter.value is not None:
        given.append(((*path, "value"), parameter.value))
    for at, written in given:
        if _is_ambiguous(written, constraints):
            yield Fault(
                at,
                f"is {written}, and for {parameter.name} an integer and a share mean different things; "
                f'write "{written}.0" in quotes for the share, or "{written}" in quotes for the integer',
            )
        elif not _is_allowed(read_value(written), constraints):
            allowed = ", ".join(
                str(_make_constraint(each)) for each in constraints if not _make_constraint(each).hidden
            )
            yield Fault(at, f"is {format_value(written)}, and {parameter.name} must be {allowed}; correct it")


def _is_ambiguous(written: Any, constraints: list[Any]) -> bool:
    """Return whether an unquoted integer could also be a share, which JSON made an integer of (`1.0` is `1`)."""
    from sklearn.utils._param_validation import Interval, RealNotInt

    if not isinstance(written, int) or isinstance(written, bool):
        return False
    intervals = [each for each in constraints if isinstance(each, Interval)]
    as_integer = any(each.type is Integral and written in each for each in intervals)
    return as_integer and any(each.type is RealNotInt and float(written) in each for each in intervals)


def _is_allowed(value: Any, constraints: list[Any]) -> bool:
    return any(_make_constraint(each).is_satisfied_by(value) for each in constraints)


def _make_constraint(constraint: Any) -> Any:
    from sklearn.utils._param_validation import make_constraint

    return make_constraint(constraint)


def _load_object(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def _is_estimator(found: Any) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(found, type) and issubclass(found, BaseEstimator)


def _closest_estimator(path: str) -> str | None:
    from sklearn.utils import all_estimators

    name = path.rpartition(".")[2]
    known = dict(all_estimators(type_filter=["classifier", "regressor"]))
    likely = closest_name(name, known)
    if likely is None:
        return None
    public = known[likely].__module__.split("._")[0]
    return f"{public}.{likely}"
