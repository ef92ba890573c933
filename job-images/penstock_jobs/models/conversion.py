"""From a fitted scikit-learn Pipeline to ONNX: one input a feature, doubles and strings, outputs of known names.

Inputs are double precision, for scikit-learn computes in it: with float32 inputs a random forest behind a scaler
differed by 0.04 on single rows, with doubles by 5e-8. Where a converter or ONNX Runtime knows no doubles for an
operator, float32 is tried next. What comes out is only a proposal: `parity` decides.

The outputs are named as scikit-learn's methods: `predict` (rows,), `predict_proba` (rows, classes), `decision_function`
(rows,) or (rows, classes).
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from skl2onnx.sklapi import CastTransformer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models import converters, network_onnx
from penstock_jobs.models.inputs import is_text

# The newest that ONNX Runtime 1.25 knows in full, so that a file also loads in an older server.
OPSETS = {"": 21, "ai.onnx.ml": 3}


class NotConvertibleError(Exception):
    """skl2onnx has no way to write this estimator; the message is its sentence."""


Precision = Literal["double", "mixed", "single"]


def convert(estimator: Any, features: Sequence[FeatureSpec], precision: Precision) -> bytes:
    """Return the estimator as an ONNX file, the same bytes for the same estimator.

    Args:
        estimator: fitted on `inputs.model_frame`.
        features: its inputs in order.
        precision: `double` throughout; `mixed`: preprocessing in double, and its result in float32 to the estimator
        (which is
            what scikit-learn's own trees do); or `single`, float32 from the inputs on.
    """
    converters.register()
    if "penstock_jobs.networks" in sys.modules:  # a network can only come from there; torch is an extra
        network_onnx.register()
    double = precision != "single"
    number = DoubleTensorType if double else FloatTensorType
    inputs = [(feature.name, (StringTensorType if is_text(feature) else number)([None, 1])) for feature in features]
    written = move_calibration_inside(estimator)
    if precision == "mixed":
        written = _insert_float32_cast(written)
    try:
        with warnings.catch_warnings(), converters.precision(double=double):
            warnings.simplefilter("ignore")
            model = to_onnx(
                written,
                initial_types=inputs,
                options=_options(written),
                target_opset=OPSETS,
                name="penstock",
            )
    except Exception as error:  # skl2onnx raises anything from RuntimeError to AttributeError for what it does not know
        raise NotConvertibleError(_first_sentence(error)) from error
    _join_in_double(model)
    _name_inputs_and_outputs(model, estimator, features)
    return bytes(model.SerializeToString(deterministic=True))


def move_calibration_inside(estimator: Any) -> Any:
    """Return an equal estimator that skl2onnx can read: calibration moved from around the Pipeline to its last step.

    `CalibratedClassifierCV(Pipeline(preprocessing, classifier))` has several inputs of several types, which its
    converter cannot take; `Pipeline(preprocessing, CalibratedClassifierCV(classifier))` computes the same.
    """
    if not isinstance(estimator, CalibratedClassifierCV) or len(estimator.calibrated_classifiers_) != 1:
        return estimator
    [calibrated] = estimator.calibrated_classifiers_
    inner = calibrated.estimator
    while isinstance(inner, FrozenEstimator):
        inner = inner.estimator
    if not isinstance(inner, Pipeline):
        return estimator
    last = _copy_with(calibrated, estimator=inner.steps[-1][1])
    outer = _copy_with(estimator, calibrated_classifiers_=[last], estimator=inner.steps[-1][1])
    return Pipeline([*inner.steps[:-1], ("calibrated", outer)])


def _options(estimator: Any) -> dict[int, dict[str, bool]] | None:
    if not hasattr(estimator, "classes_"):
        return None
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return {
        id(last): {"zipmap": False} if hasattr(estimator, "predict_proba") else {"zipmap": False, "raw_scores": True}
    }


def _insert_float32_cast(estimator: Any) -> Any:
    """Return the Pipeline with a cast to float32 before its last step."""
    if not isinstance(estimator, Pipeline) or len(estimator.steps) < 2:
        raise NotConvertibleError("there is no preprocessing before the estimator")
    return Pipeline([*estimator.steps[:-1], ("narrow", CastTransformer()), estimator.steps[-1]])


def _copy_with(instance: Any, **attributes: Any) -> Any:
    """Return a shallow copy with these attributes set; a fitted estimator is never changed."""
    copy = instance.__class__.__new__(instance.__class__)
    copy.__dict__.update(instance.__dict__)
    copy.__dict__.update(attributes)
    for name in ("feature_names_in_", "n_features_in_"):
        copy.__dict__.pop(name, None)
    return copy


def _join_in_double(model: onnx.ModelProto) -> None:
    """Join columns by Concat: skl2onnx takes FeatureVectorizer, which makes float32 of doubles, and casts them back."""
    for node in model.graph.node:
        if node.op_type == "FeatureVectorizer":
            joined = onnx.helper.make_node("Concat", list(node.input), list(node.output), name=node.name, axis=1)
            node.CopyFrom(joined)


def _name_inputs_and_outputs(model: onnx.ModelProto, estimator: Any, features: Sequence[FeatureSpec]) -> None:
    """Give inputs the names of the features (skl2onnx knows no spaces) and outputs those of scikit-learn's methods.

    A feature with the name of an output, or of something inside the graph, gets one like it.
    """
    graph = model.graph
    if not hasattr(estimator, "classes_"):
        outputs = ["predict"]
    else:
        outputs = ["predict", "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"]
    ends = {entry.name for entry in (*graph.input, *graph.output)}
    inside = {name for node in graph.node for name in (*node.input, *node.output)} - ends
    taken = {*inside, *ends, *outputs, *(feature.name for feature in features)}
    names: dict[str, str] = {}
    for entry, feature in zip(graph.input, features, strict=True):
        clashes = feature.name in inside or feature.name in outputs
        names[entry.name] = find_free_name(feature.name, taken) if clashes else feature.name
    for entry, output in zip(graph.output, outputs, strict=True):
        names[entry.name] = output
        if output in inside:
            names[output] = find_free_name(output, taken)
    rename_variables(graph, names)


def find_free_name(name: str, taken: set[str]) -> str:
    """Return a name like that one which is not taken, and take it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def rename_variables(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give variables of a graph other names, all at once."""
    for node in graph.node:
        for variables in (node.input, node.output):
            variables[:] = [names.get(name, name) for name in variables]
    for entry in (*graph.initializer, *graph.input, *graph.output):
        entry.name = names.get(entry.name, entry.name)


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(". ")
