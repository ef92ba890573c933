"""The two matrices of a served ONNX file stand for the features, whatever these are called and whichever are used."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import model_making as making
from penstock_jobs.models.inputs import model_frame

FRAME = making.people().dropna()


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [(["age", "mean radius"], ["town"]), (["mean radius", "age"], []), (["born"], ["town"]), ([], ["town"])],
)
@pytest.mark.parametrize("names", [{}, {"age": "numbers", "town": "texts"}, {"age": "texts", "mean radius": "numbers"}])
def test_features_that_are_used_in_any_order_under_any_name_are_answered(
    tmp_path: Path, numbers: list[str], texts: list[str], names: dict[str, str]
) -> None:
    features = tuple(
        msgspec.structs.replace(feature, name=names.get(feature.name, feature.name)) for feature in making.FEATURES
    )
    frame = FRAME.rename(columns=names)
    columns = ColumnTransformer(
        [
            ("texts", OneHotEncoder(handle_unknown="ignore"), [names.get(name, name) for name in texts]),
            ("numbers", StandardScaler(), [names.get(name, name) for name in numbers]),
        ]
    )
    estimator = make_pipeline(columns, LogisticRegression())
    estimator.fit(model_frame(frame, features), making.outcome(FRAME))
    model = making.save_and_load(
        tmp_path, making.change_model(making.fit_model(), estimator=estimator, features=features, validation=frame)
    )
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    assert model.predict_frame(frame).labels.tolist() == estimator.predict(model_frame(frame, features)).tolist()


@pytest.mark.parametrize("estimator", [RandomForestClassifier(30, random_state=0), DecisionTreeClassifier()])
def test_a_tree_sends_a_null_that_training_never_had_the_way_it_does_in_scikit_learn(
    tmp_path: Path, estimator: Any
) -> None:
    features = tuple(feature for feature in making.FEATURES if feature.type != "String")
    pipeline = make_pipeline(StandardScaler(), estimator)
    pipeline.fit(model_frame(FRAME, features), making.outcome(FRAME))
    model = making.save_and_load(
        tmp_path, making.change_model(making.fit_model(), estimator=pipeline, features=features, validation=FRAME)
    )
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    frame = FRAME.head(60).astype({"age": float})
    for place, feature in enumerate(features[:2]):
        frame.loc[frame.index[place::2], feature.name] = None
    expected = pipeline.predict_proba(model_frame(frame, features))
    answered = model.predict_frame(frame).probabilities
    assert answered is not None
    np.testing.assert_allclose(answered, expected, atol=1e-6)


def test_the_file_says_which_features_its_columns_are(tmp_path: Path) -> None:
    making.save(tmp_path, making.fit_model())
    model = onnx.load(tmp_path / "model" / "model.onnx")
    assert [entry.name for entry in model.graph.input] == ["numbers", "texts"]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["penstock.features"]) == {"numbers": making.NUMBERS, "texts": ["town"]}
