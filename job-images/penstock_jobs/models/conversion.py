"""From a fitted scikit-learn Pipeline to ONNX: one input a feature, doubles and strings, outputs of known names.

Inputs are double precision, for scikit-learn computes in it: with float32 inputs a random forest behind a scaler
differed by 0.04 on single rows, with doubles by 5e-8. Where a converter or ONNX Runtime knows no doubles for an
operator, float32 is tried next. What comes out is only a proposal: `parity` decides.

The outputs are named by what they hold: `probabilities` (rows, classes), or `label` and `decision` for a classifier
without probabilities, or `value` (rows, 1) for regression.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from penstock_jobs.manifest import Feature
from penstock_jobs.models import converters, network_onnx
from penstock_jobs.models.inputs import is_text

# The newest that ONNX Runtime 1.25 knows in full, so that a file also loads in an older server.
OPSETS = {"": 21, "ai.onnx.ml": 3}


class NotConvertibleError(Exception):
    """skl2onnx has no way to write this estimator; the message is its sentence."""


def convert(estimator: Any, features: Sequence[Feature], *, double: bool) -> bytes:
    """Return the estimator as an ONNX file, the same bytes for the same estimator.

    Args:
        estimator: fitted on `inputs.model_frame`.
        features: its inputs in order.
        double: whether numbers enter as float64 (otherwise float32).
    """
    converters.register()
    if "penstock_jobs.training.network" in sys.modules:  # a network can only come from there; torch is an extra
        network_onnx.register()
    number = DoubleTensorType if double else FloatTensorType
    inputs = [(feature.name, (StringTensorType if is_text(feature) else number)([None, 1])) for feature in features]
    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    try:
        with warnings.catch_warnings(), converters.precision(double=double):
            warnings.simplefilter("ignore")
            model = to_onnx(
                unwrapped(estimator), initial_types=inputs, options=options, target_opset=OPSETS, name="penstock"
            )
    except Exception as error:  # skl2onnx raises anything from RuntimeError to AttributeError for what it does not know
        raise NotConvertibleError(_first_sentence(error)) from error
    _name_outputs(model, estimator)
    return bytes(model.SerializeToString(deterministic=True))


def unwrapped(estimator: Any) -> Any:
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


def _copy_with(instance: Any, **attributes: Any) -> Any:
    """Return a shallow copy with these attributes set; a fitted estimator is never changed."""
    copy = instance.__class__.__new__(instance.__class__)
    copy.__dict__.update(instance.__dict__)
    copy.__dict__.update(attributes)
    for name in ("feature_names_in_", "n_features_in_"):
        copy.__dict__.pop(name, None)
    return copy


def _name_outputs(model: onnx.ModelProto, estimator: Any) -> None:
    outputs = model.graph.output
    if not hasattr(estimator, "classes_"):
        _rename(model, outputs[0].name, "value")
        return
    _rename(model, outputs[0].name, "label")
    _rename(model, outputs[1].name, "probabilities" if hasattr(estimator, "predict_proba") else "decision")


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name == old:
                    names[position] = new
    for output in model.graph.output:
        if output.name == old:
            output.name = new


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(". ")
