"""The testing job, on real tables and saved Models."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from penstock_jobs.models.inputs import model_frame
from penstock_jobs.testing import test as run_testing
from unit.testing.laboratory import Laboratory


def breast_cancer() -> pd.DataFrame:
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, -1]]
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    named = frame["target"].map({0: "malignant", 1: "benign"}).astype(object)
    return frame.assign(target=named, id=np.arange(len(frame)))


@pytest.fixture
def cancer(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path, breast_cancer(), "target", positive="malignant")


def test_the_scores_are_those_of_the_saved_model_on_the_testing_points(cancer: Laboratory) -> None:
    model = cancer.model("linear", StandardScaler(), LogisticRegression())
    result = run_testing(cancer.job((model,), ("roc_auc", "f1", "accuracy")))

    testing = cancer.frames["testing"]
    training = cancer.frames["training"]
    estimator = StandardScaler(), LogisticRegression()
    fitted = estimator[1].fit(estimator[0].fit_transform(model_frame(training, cancer.features)), training["target"])
    response = fitted.predict_proba(estimator[0].transform(model_frame(testing, cancer.features)))[:, 1]
    scores = {score.name: score for score in result.models[0].scores}
    assert result.points == result.models[0].points == len(testing)
    assert scores["roc_auc"].value == pytest.approx(roc_auc_score(testing["target"] == "malignant", response), abs=1e-6)
    assert scores["roc_auc"].low < scores["roc_auc"].value < scores["roc_auc"].high
    assert Path(result.report.removeprefix("file://")).is_file()
