"""What skl2onnx gets wrong and we put right: isotonic calibration between its knots, and columns joined as doubles."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.conversion import convert
from penstock_jobs.models.inputs import columns_of_frame
from penstock_jobs.models.merging import merge_inputs
from penstock_jobs.models.predictors import OnnxPredictor


@pytest.mark.parametrize("data", [load_breast_cancer, load_digits])
def test_an_isotonic_calibration_answers_as_its_graph_on_every_row(data: Callable[..., Any]) -> None:
    frame, y = data(as_frame=True, return_X_y=True)
    frame = frame.astype(np.float64)
    half = len(y) // 2
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(frame[:half], y[:half])
    model = CalibratedClassifierCV(FrozenEstimator(pipeline), method="isotonic").fit(frame[half:], y[half:])
    features = [FeatureSpec(name=name, type="Float") for name in frame]
    answered = OnnxPredictor(convert(model, features, "double"), features)(columns_of_frame(frame, features))
    np.testing.assert_allclose(answered["probabilities"], model.predict_proba(frame), atol=1e-10, rtol=0)


def test_columns_of_numbers_stay_doubles_on_their_way_into_the_graph() -> None:
    frame, y = load_breast_cancer(as_frame=True, return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(frame, y)
    features = [FeatureSpec(name=name, type="Float") for name in frame]
    plain = convert(model, features, "double")
    for content in (plain, merge_inputs(plain, features)):
        answered = OnnxPredictor(content, features)(columns_of_frame(frame, features))
        np.testing.assert_allclose(answered["probabilities"], model.predict_proba(frame), atol=1e-14, rtol=0)
