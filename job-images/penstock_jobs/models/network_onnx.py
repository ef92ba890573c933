"""Torch networks in ONNX: a converter that lets skl2onnx put a network where it puts any other estimator.

torch exports the network by itself, skl2onnx everything around it (preprocessing, calibration), and the converter puts
the nodes of the first into the graph of the second. So inputs, outputs and their names are those of every other Model.

Of torch's two exporters it is the one on `torch.export` (`dynamo=True`), tried against the older TorchScript tracer on
torch 2.15, with perceptrons and with modules that normalise, convolve, attend and reshape. Both agree with torch to
1e-6 on any number of rows. Only the first refuses a `forward` that branches on its data; the tracer writes down the
branch that it happened to see, and answers wrongly to other rows. It takes a second, for each Model that is kept.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
import onnx.compose
import onnx.inliner
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.operator_converters.common import concatenate_variables

if TYPE_CHECKING:
    import torch

Precision = Literal["double", "single"]

_ROWS, _OUTPUTS = "rows", "outputs"


@cache
def register() -> None:
    """Make skl2onnx know the networks, once in a process. torch is imported only when one is converted."""
    from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor

    update_registered_converter(
        NeuralNetworkClassifier,
        "PenstockNeuralNetworkClassifier",
        _infer_classifier_shapes,
        _convert_classifier,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True]},
    )
    update_registered_converter(
        NeuralNetworkRegressor, "PenstockNeuralNetworkRegressor", _infer_regressor_shapes, _convert_regressor
    )


def export(network: "torch.nn.Module", input_size: int, opset: int, precision: Precision) -> onnx.ModelProto:
    """Return the network as a graph from `rows` (n, input size) to `outputs`, in that precision, n of any size.

    Raises:
        RuntimeError: torch cannot write this module down; the message says why, and is for its author.
    """
    import torch

    from penstock_jobs.networks.modules import convert_precision

    # Two rows: a size of 1 would be taken for a constant.
    example = torch.zeros(2, input_size, dtype=torch.float64 if precision == "double" else torch.float32)
    with _silence_torch():
        try:
            program = torch.onnx.export(
                convert_precision(network, precision),
                (example,),
                dynamo=True,
                opset_version=opset,
                input_names=[_ROWS],
                output_names=[_OUTPUTS],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                optimize=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise RuntimeError(_explain_failure(network, error)) from error
    if program is None:
        raise RuntimeError(f"torch.onnx.export returned nothing for {type(network).__name__}")
    return onnx.inliner.inline_local_functions(program.model_proto)


def _infer_classifier_shapes(operator: Any) -> None:
    classes = operator.raw_operator.classes_
    operator.outputs[0].type = (Int64TensorType if classes.dtype.kind in "iubf" else StringTensorType)([None])
    operator.outputs[1].type = _number_type(operator)([None, len(classes)])


def _infer_regressor_shapes(operator: Any) -> None:
    operator.outputs[0].type = _number_type(operator)([None, 1])


def _number_type(operator: Any) -> Any:
    """Return the precision of the inputs; skl2onnx's own shapes take a single input only."""
    double = any(isinstance(entry.type, DoubleTensorType) for entry in operator.inputs)
    return DoubleTensorType if double else FloatTensorType


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Write softmax(network(rows)), and the class of the greatest."""
    estimator = operator.raw_operator
    label, probabilities = operator.outputs
    logits = _add_network(scope, operator, container)
    softmax, position = _variable_name(scope, "softmax"), _variable_name(scope, "position")
    container.add_node("Softmax", [logits], [softmax], axis=1, op_version=13, name=_operator_name(scope, "Softmax"))
    _add_cast(scope, container, softmax, probabilities)
    # keepdims=0: labels are (rows,), as skl2onnx writes those of every classifier.
    container.add_node(
        "ArgMax", [logits], [position], axis=1, keepdims=0, op_version=13, name=_operator_name(scope, "ArgMax")
    )
    classes = _variable_name(scope, "classes")
    if isinstance(label.type, StringTensorType):
        texts = [str(value).encode() for value in estimator.classes_]
        container.add_initializer(classes, TensorProto.STRING, [len(texts)], texts)
    else:
        container.add_initializer(classes, TensorProto.INT64, [len(estimator.classes_)], _integers(estimator.classes_))
    container.add_node(
        "Gather", [classes, position], [label.full_name], op_version=13, name=_operator_name(scope, "Gather")
    )


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    """Write network(rows) * scale + mean, in the precision of the inputs."""
    estimator = operator.raw_operator
    [value] = operator.outputs
    kind = TensorProto.DOUBLE if isinstance(value.type, DoubleTensorType) else TensorProto.FLOAT
    names = [_variable_name(scope, name) for name in ("column", "standardised", "scaled", "scale", "mean", "shape")]
    column, standardised, scaled, scale, mean, shape = names
    container.add_initializer(scale, kind, [1], [estimator.target_scale_])
    container.add_initializer(mean, kind, [1], [estimator.target_mean_])
    container.add_initializer(shape, TensorProto.INT64, [2], [-1, 1])
    outputs = _add_network(scope, operator, container)
    container.add_node("Reshape", [outputs, shape], [column], op_version=14, name=_operator_name(scope, "Reshape"))
    container.add_node("Cast", [column], [standardised], to=kind, op_version=13, name=_operator_name(scope, "Cast"))
    container.add_node("Mul", [standardised, scale], [scaled], op_version=14, name=_operator_name(scope, "Mul"))
    container.add_node("Add", [scaled, mean], [value.full_name], op_version=14, name=_operator_name(scope, "Add"))


def _add_network(scope: Any, operator: Any, container: Any) -> str:
    """Put the network's nodes into the container, from the operator's inputs; return the name of its outputs."""
    estimator = operator.raw_operator
    # Single where the inputs are: ONNX Runtime has no convolution of doubles, for one, and then asks for float32.
    precision: Precision = "double" if _number_type(operator) is DoubleTensorType else "single"
    if estimator.precision_ == "single":
        precision = "single"
    opset = container.target_opset_any_domain("")
    model = export(estimator.network_, estimator.n_features_in_, opset, precision)
    prefix = _variable_name(scope, "network") + "/"
    graph = onnx.compose.add_prefix(model, prefix).graph
    joined = concatenate_variables(scope, operator.inputs, container)
    container.add_node(
        "Cast", [joined], [prefix + _ROWS], to=_kind(precision), op_version=13, name=_operator_name(scope, "Cast")
    )
    for node in graph.node:
        # torch's own notes hold the paths and the source lines of the machine that exported.
        del node.metadata_props[:]
        node.doc_string = ""
        container.nodes.append(node)
    container.initializers.extend(graph.initializer)
    container.node_domain_version_pair_sets.update((used.domain, used.version) for used in model.opset_import)
    return prefix + _OUTPUTS


def _kind(precision: Precision) -> int:
    return int(TensorProto.DOUBLE if precision == "double" else TensorProto.FLOAT)


def _add_cast(scope: Any, container: Any, source: str, target: Any) -> None:
    kind = TensorProto.DOUBLE if isinstance(target.type, DoubleTensorType) else TensorProto.FLOAT
    container.add_node("Cast", [source], [target.full_name], to=kind, op_version=13, name=_operator_name(scope, "Cast"))


def _integers(classes: np.ndarray) -> list[int]:
    """Return the classes where they are whole numbers, and otherwise their positions (the manifest names them)."""
    whole = classes.dtype.kind in "iub"
    return [int(value) for value in classes] if whole else list(range(len(classes)))


def _variable_name(scope: Any, name: str) -> str:
    return str(scope.get_unique_variable_name(name))


def _operator_name(scope: Any, name: str) -> str:
    return str(scope.get_unique_operator_name(name))


def _explain_failure(network: "torch.nn.Module", error: Exception) -> str:
    cause = error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (
        f"torch cannot export {type(network).__module__}.{type(network).__qualname__}, "
        f"whose forward must not depend on the values of its rows: {lines[0][:300] if lines else type(cause).__name__}"
    )


@contextmanager
def _silence_torch() -> Iterator[None]:
    """Hold back what torch says about itself while it exports (torchvision is missing, a constant was folded)."""
    loggers = [
        logging.getLogger(name)
        for name in ("torch.onnx", "torch.fx", "torch.export", "torch._dynamo", "onnxscript", "onnx_ir")
    ]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
