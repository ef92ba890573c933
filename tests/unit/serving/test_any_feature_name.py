"""Whatever the columns of a table are called, the Model of them is saved, served and answers as it does to a table."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import model_making as making
from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.models.loading import LoadedModel
from penstock_jobs.serving.application import Application
from penstock_jobs.serving.warming import ask_application, warm

ROWS = pd.DataFrame(
    {
        "first": [0.5, 1.5, -2.0, 3.0, 0.1, 2.2, -1.0, 4.0],
        "second": [3, 1, 4, 1, 5, 9, 2, 6],
        "third": ["a", "b", "a", "c", "b", "a", "c", "b"],
    }
)
TARGET = np.array(["no", "yes", "no", "yes", "no", "yes", "no", "yes"])
KINDS = ("Float", "Integer", "String")
NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12),
    min_size=3,
    max_size=3,
    unique=True,
)


def serve(folder: Path, names: list[str]) -> tuple[Application, LoadedModel, pd.DataFrame]:
    """Return a tiny Model of columns with these names, saved, loaded, and the server of it."""
    frame = ROWS.set_axis(names, axis=1)
    features = tuple(
        FeatureSpec(name=name, type=kind)  # type: ignore[arg-type]
        for name, kind in zip(names, KINDS, strict=True)
    )
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), names[:2]), ("texts", OneHotEncoder(handle_unknown="ignore"), names[2:])]
    )
    estimator = make_pipeline(columns, LogisticRegression()).fit(model_frame(frame, features), TARGET)
    fitted = making.change_model(making.fit_model(), estimator=estimator, features=features, validation=frame)
    model = making.save_and_load(folder, fitted)
    application = Application(model, "served")
    warm(application, model, "served")
    return application, model, frame


def ask(application: Application, path: str, content: Any, method: str = "POST") -> Any:
    status, body = asyncio.run(ask_application(application, path, json.dumps(content).encode(), method))
    assert status == 200, body
    return json.loads(body)


def assert_served_as_in_a_table(folder: Path, names: list[str]) -> None:
    application, model, frame = serve(folder, names)
    assert model.manifest.serving.format == "ONNX", model.manifest.serving.reason
    expected = model.predict_frame(frame).probabilities
    assert expected is not None
    rows = frame.to_dict("records")
    for instances in (rows, [list(row.values()) for row in rows]):
        answer = ask(application, "/v1/models/served:predict", {"instances": instances})
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-9)
    inputs = [
        {"name": name, "shape": [len(frame)], "datatype": datatype, "data": frame[name].tolist()}
        for name, datatype in zip(names, ("FP64", "INT64", "BYTES"), strict=True)
    ]
    answer = ask(application, "/v2/models/served/infer", {"inputs": inputs})
    np.testing.assert_allclose(np.reshape(answer["outputs"][1]["data"], (-1, 2)), expected, atol=1e-9)
    metadata = ask(application, "/v2/models/served", None, "GET")
    assert [entry["name"] for entry in metadata["inputs"]] == names


@settings(max_examples=15, deadline=None)
@given(NAMES)
@example(['screen (")', "back\\slash", "line\nbreak"])
@example(["tab\there", "a.b", "class"])
@example(["predict", "predict_proba", "numbers"])
@example(["variable", "variable_inside", "variable1"])
@example(["texts", "texts_column", "numbers_column"])
@example(["x_place", "x", "x_column_of"])
@example(["a b", "a_b", "a-b"])
@example(["`", "a` - at `$.instances[1].b", "$[0]"])
@example(["\x01", " ", "\x7f"])
@example(["é", "e\u0301", "\U0001f600"])
def test_a_model_of_columns_with_any_name_answers_to_rows_and_tensors_as_to_a_table(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_served_as_in_a_table(Path(folder), names)
