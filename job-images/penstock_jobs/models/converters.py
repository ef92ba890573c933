"""Converters of ours, where skl2onnx's own fail, or cannot be run in double precision by ONNX Runtime.

| scikit-learn | why |
|---|---|
| SimpleImputer | ONNX's Imputer has no double precision in ONNX Runtime |
| OneHotEncoder | skl2onnx knows no infrequent categories, and its file stops at an unknown one |
| HistGradientBoosting | onnx refuses the booleans that skl2onnx gives for integers |
| trees and forests | skl2onnx sends every null to the right |
| LinearSVC | skl2onnx asks it for an option that it does not have |
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common._registration import get_converter, get_shape_calculator
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from skl2onnx.operator_converters.common import concatenate_variables
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from penstock_jobs.models import isotonic_onnx

_CLASSIFIER_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "raw_scores": [True, False],
    "output_class_labels": [False, True],
}
_TREE_OPTIONS = _CLASSIFIER_OPTIONS | {"decision_path": [True, False], "decision_leaf": [True, False]}

# An encoder of strings cannot tell from its inputs which precision the graph around it has.
_double: ContextVar[bool] = ContextVar("double", default=True)


@contextmanager
def precision(*, double: bool) -> Iterator[None]:
    """Convert in double or in single precision."""
    token = _double.set(double)
    try:
        yield
    finally:
        _double.reset(token)


@cache
def register() -> None:
    """Make skl2onnx use them, once in a process."""
    isotonic_onnx.register()
    update_registered_converter(
        SimpleImputer, "PenstockSimpleImputer", _infer_imputer_shape, _convert_imputer, overwrite=True
    )
    update_registered_converter(
        OneHotEncoder, "PenstockOneHotEncoder", _infer_one_hot_shape, _convert_one_hot, overwrite=True
    )
    for classifier in (HistGradientBoostingClassifier, LinearSVC):
        _register_adjustment(classifier, _make_integers_plain, _CLASSIFIER_OPTIONS)
    _register_adjustment(HistGradientBoostingRegressor, _make_integers_plain, None)
    for classifier in (DecisionTreeClassifier, ExtraTreesClassifier, RandomForestClassifier):
        _register_adjustment(classifier, _add_missing_directions, _TREE_OPTIONS)
    for regressor in (DecisionTreeRegressor, ExtraTreesRegressor, RandomForestRegressor):
        _register_adjustment(
            regressor, _add_missing_directions, {"decision_path": [True, False], "decision_leaf": [True, False]}
        )


# --- numbers ----------------------------------------------------------------------------------------------------------


def _infer_imputer_shape(operator: Any) -> None:
    imputer = operator.raw_operator
    width = int(_non_empty_columns(imputer).sum()) + (
        0 if imputer.indicator_ is None else len(imputer.indicator_.features_)
    )
    operator.outputs[0].type = _number_type(operator)([None, width])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Write `Where(IsNaN(x), statistic, x)`, and the indicator's columns behind it."""
    imputer = operator.raw_operator
    if not _is_nan(imputer.missing_values) or isinstance(operator.inputs[0].type, StringTensorType):
        raise RuntimeError("SimpleImputer of anything but NaN")
    graph = _Graph(scope, container)
    joined = concatenate_variables(scope, operator.inputs, container)
    kept = np.flatnonzero(_non_empty_columns(imputer))
    numbers = joined if len(kept) == len(imputer.statistics_) else graph.columns(joined, kept)
    statistics = graph.constant(_kind(operator), imputer.statistics_.astype(np.float64)[kept].reshape(1, -1))
    filled = graph.node("Where", [graph.node("IsNaN", [numbers], 13), statistics, numbers], 9)
    if imputer.indicator_ is not None:
        absent = graph.node("IsNaN", [graph.columns(joined, imputer.indicator_.features_)], 13)
        filled = graph.node("Concat", [filled, graph.node("Cast", [absent], 13, to=_kind(operator))], 13, axis=1)
    graph.node("Identity", [filled], 13, output=operator.outputs[0].full_name)


def _non_empty_columns(imputer: SimpleImputer) -> NDArray[np.bool_]:
    return np.array([not _is_nan(value) for value in imputer.statistics_])


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


# --- categories -------------------------------------------------------------------------------------------------------


def _infer_one_hot_shape(operator: Any) -> None:
    encoder = operator.raw_operator
    kind = DoubleTensorType if _double.get() else FloatTensorType
    operator.outputs[0].type = kind([None, int(sum(encoder._n_features_outs))])


def _convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """Write, for each column, `position of the category == 0, 1, 2, …`, where an unknown category has position -1."""
    encoder = operator.raw_operator
    graph = _Graph(scope, container)
    columns = _single_columns(graph, operator.inputs)
    kind = TensorProto.DOUBLE if _double.get() else TensorProto.FLOAT
    parts = []
    for index, (column, text) in enumerate(columns):
        positions, width = positions_of(encoder, index)
        if not text:
            raise RuntimeError("OneHotEncoder of numbers")
        position = graph.node(
            "LabelEncoder",
            [column],
            2,
            domain="ai.onnx.ml",
            keys_strings=[str(key) for key in encoder.categories_[index]],
            values_int64s=positions,
            default_int64=_position_of_unknown(encoder, index),
        )
        wanted = graph.constant(TensorProto.INT64, np.arange(width).reshape(1, -1))
        parts.append(graph.node("Cast", [graph.node("Equal", [position, wanted], 19)], 13, to=kind))
    graph.node("Concat", parts, 13, axis=1, output=operator.outputs[0].full_name)


def positions_of(encoder: OneHotEncoder, index: int) -> tuple[list[int], int]:
    """Return the output column of each category of one input column (-1: none), and the number of output columns."""
    mapping = encoder._default_to_infrequent_mappings[index] if encoder._infrequent_enabled else None
    positions = list(range(len(encoder.categories_[index]))) if mapping is None else [int(place) for place in mapping]
    dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[index]
    if dropped is not None:
        place = positions[int(dropped)]
        positions = [-1 if position == place else position - (position > place) for position in positions]
    return positions, int(encoder._n_features_outs[index])


def _position_of_unknown(encoder: OneHotEncoder, index: int) -> int:
    """Return the output column of a category not seen in training: the infrequent one where there is one, or none."""
    infrequent = encoder.handle_unknown in ("infrequent_if_exist", "warn") and encoder._infrequent_enabled
    if not infrequent or encoder.infrequent_categories_[index] is None:
        return -1
    positions, _ = positions_of(encoder, index)
    rare = list(encoder.categories_[index]).index(encoder.infrequent_categories_[index][0])
    return positions[rare]


def _single_columns(graph: "_Graph", inputs: Any) -> list[tuple[str, bool]]:
    """Return each column of the inputs as a name of a (rows, 1) tensor, and whether it holds strings."""
    found = []
    for variable in inputs:
        text = isinstance(variable.type, StringTensorType)
        width = variable.type.shape[1]
        if width == 1:
            found.append((variable.full_name, text))
        else:
            found += [(graph.columns(variable.full_name, [position]), text) for position in range(width)]
    return found


# --- gradient boosting by histograms ----------------------------------------------------------------------------------


Attributes = dict[str, Any]
Adjust = Callable[[Attributes, Any], Attributes]


class _AdjustingContainer:
    """A container that adjusts the attributes of each node before it is added."""

    def __init__(self, container: Any, adjust: Callable[[Attributes], Attributes]) -> None:
        self._container = container
        self._adjust = adjust

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *arguments: Any, **attributes: Any) -> None:
        self._container.add_node(*arguments, **self._adjust(attributes))


def _register_adjustment(estimator: Any, adjust: Adjust, options: Any) -> None:
    """Let skl2onnx's own converter of an estimator write other attributes."""
    alias = sklearn_operator_name_map[estimator]
    convert = get_converter(alias)

    def convert_and_adjust(scope: Any, operator: Any, container: Any) -> None:
        convert(
            scope,
            operator,
            _AdjustingContainer(container, lambda attributes: adjust(attributes, operator.raw_operator)),
        )

    shape = get_shape_calculator(alias)
    update_registered_converter(estimator, alias, shape, convert_and_adjust, overwrite=True, options=options)


def _make_integers_plain(attributes: Attributes, _estimator: Any) -> Attributes:
    return {name: _make_plain(value) for name, value in attributes.items()}


def _make_plain(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, int | np.integer | np.bool_) for item in value):
        return [int(item) for item in value]
    return value


def _add_missing_directions(attributes: Attributes, estimator: Any) -> Attributes:
    """Send a null the way that scikit-learn's tree sends it: where most of the training rows went, if none was null."""
    if "nodes_missing_value_tracks_true" not in attributes:
        return attributes
    trees = [tree.tree_.missing_go_to_left for tree in getattr(estimator, "estimators_", [estimator])]
    places = zip(attributes["nodes_treeids"], attributes["nodes_nodeids"], attributes["nodes_modes"], strict=True)
    directions = [int(mode != "LEAF" and trees[tree][node]) for tree, node, mode in places]
    return attributes | {"nodes_missing_value_tracks_true": directions}


# --- writing nodes ----------------------------------------------------------------------------------------------------


class _Graph:
    """Adds nodes with fresh names."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def node(
        self, kind: str, inputs: list[str], version: int, domain: str = "", output: str | None = None, **attributes: Any
    ) -> str:
        name = output or self._scope.get_unique_variable_name(kind.lower())
        self._container.add_node(
            kind,
            inputs,
            [name],
            op_domain=domain,
            op_version=version,
            name=self._scope.get_unique_operator_name(kind),
            **attributes,
        )
        return name

    def constant(self, kind: int, values: NDArray[Any]) -> str:
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, kind, list(values.shape), values.reshape(-1))
        return name

    def columns(self, source: str, positions: Any) -> str:
        return self.node("Gather", [source, self.constant(TensorProto.INT64, np.asarray(positions))], 13, axis=1)


def _number_type(operator: Any) -> Any:
    return DoubleTensorType if isinstance(operator.inputs[0].type, DoubleTensorType) else FloatTensorType


def _kind(operator: Any) -> int:
    return int(TensorProto.DOUBLE if _number_type(operator) is DoubleTensorType else TensorProto.FLOAT)
