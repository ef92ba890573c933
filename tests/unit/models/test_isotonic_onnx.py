"""Isotonic calibration in a Model's graph is that of scikit-learn, between its knots as well."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from penstock_jobs.manifest import Feature
from penstock_jobs.models.conversion import convert
from penstock_jobs.models.inputs import columns_of_frame
from penstock_jobs.models.predictors import OnnxPredictor


@pytest.mark.parametrize("data", [load_breast_cancer, load_digits])
def test_an_isotonic_calibration_answers_as_its_graph_on_every_row(data):
    frame, y = data(as_frame=True, return_X_y=True)
    frame = frame.astype(np.float64)
    half = len(y) // 2
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(frame[:half], y[:half])
    model = CalibratedClassifierCV(FrozenEstimator(pipeline), method="isotonic").fit(frame[half:], y[half:])
    features = [Feature(name=name, type="Float") for name in frame]
    answered = OnnxPredictor(convert(model, features, "double"), features)(columns_of_frame(frame, features))
    np.testing.assert_allclose(answered["probabilities"], model.predict_proba(frame), atol=1e-10, rtol=0)
