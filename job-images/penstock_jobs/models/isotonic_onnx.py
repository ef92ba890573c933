"""Isotonic calibration in ONNX as scikit-learn computes it; skl2onnx 1.20 takes the nearest knot instead.

On the digits that was wrong by 0.2 of a probability; interpolated it is right to 1e-15.
"""

from functools import cache
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx.operator_converters import calibrated_classifier_cv


@cache
def register() -> None:
    """Make skl2onnx's converter of calibrated classifiers use it, once in a process."""
    calibrated_classifier_cv._transform_isotonic = _convert_isotonic


def _convert_isotonic(scope: Any, container: Any, model: Any, scores: str, k: int, dtype: Any, kind: int) -> str:
    """Write y₀ + Σ slopeᵢ · min(max(x - xᵢ, 0), xᵢ₊₁ - xᵢ) for the scores of class `k`; return its name, (rows, 1).

    Outside the knots it is constant, which is `out_of_bounds="clip"`, the only way in which scikit-learn calibrates.
    """
    regression = model.calibrators[k]
    if regression.out_of_bounds != "clip":
        raise RuntimeError(f"isotonic calibration with out_of_bounds={regression.out_of_bounds}")
    number = kind if kind in (TensorProto.FLOAT, TensorProto.DOUBLE) else TensorProto.FLOAT
    knots = np.asarray(regression.X_thresholds_, dtype=np.float64)
    values = np.asarray(regression.y_thresholds_, dtype=np.float64)
    widths = np.diff(knots)

    def constant(content: Any, *shape: int) -> str:
        name: str = scope.get_unique_variable_name("isotonic")
        container.add_initializer(name, number, list(shape), np.asarray(content, dtype=np.float64).reshape(-1))
        return name

    def node(operator: str, version: int, *inputs: str) -> str:
        name: str = scope.get_unique_variable_name(operator.lower())
        unique = scope.get_unique_operator_name(operator)
        container.add_node(operator, list(inputs), [name], op_version=version, name=unique)
        return name

    shape: str = scope.get_unique_variable_name("isotonic_shape")
    container.add_initializer(shape, TensorProto.INT64, [2], [-1, 1])
    column = node("Reshape", 14, scores, shape)
    if not widths.size:  # one knot: every score has the one value
        return node("Add", 14, node("Mul", 14, column, constant([0.0], 1, 1)), constant(values[:1], 1, 1))
    past = node("Sub", 14, column, constant(knots[:-1], 1, widths.size))
    within = node("Min", 13, node("Max", 13, past, constant([0.0], 1, 1)), constant(widths, 1, widths.size))
    rise = node("MatMul", 13, within, constant(np.diff(values) / widths, widths.size, 1))
    return node("Add", 14, rise, constant(values[:1], 1, 1))
