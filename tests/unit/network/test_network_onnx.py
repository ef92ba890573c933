"""The graph that is served answers as the fitted network does, on all of the real data, whatever stands around it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from penstock_jobs.contract.manifest import FeatureSpec
from penstock_jobs.models import conversion
from penstock_jobs.models.conversion import Precision
from penstock_jobs.models.inputs import columns_of_frame
from penstock_jobs.models.network_file import network_files
from penstock_jobs.models.onnx_runtime import InferenceSession
from penstock_jobs.models.predictors import OnnxPredictor
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor

Table = tuple[pd.DataFrame, npt.NDArray[np.generic]]

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def digits() -> Table:
    """Return the pixels, some of them missing, with a column of text; and the digits."""
    data = load_digits(as_frame=True)
    frame = data.data.astype(np.float64)
    frame.iloc[::50, 20] = np.nan
    frame["writer"] = pd.Series(np.array(["left", "right"], dtype=object)[np.arange(len(frame)) % 2], dtype=object)
    return frame, data.target.to_numpy()


@pytest.fixture(scope="module")
def diabetes() -> Table:
    data = load_diabetes(as_frame=True)
    return data.data, data.target.to_numpy()


def _features(frame: pd.DataFrame) -> list[FeatureSpec]:
    return [FeatureSpec(name=str(name), type="String" if frame[name].dtype == object else "Float") for name in frame]


def _graph(model: object, frame: pd.DataFrame, precision: Precision = "double") -> bytes:
    return conversion.convert(model, _features(frame), precision)


def _answers(content: bytes, frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    features = _features(frame)
    return OnnxPredictor(content, features)(columns_of_frame(frame, features))


def _labels(content: bytes, frame: pd.DataFrame) -> npt.NDArray[np.generic]:
    session = InferenceSession(content, providers=["CPUExecutionProvider"])
    kinds = {"tensor(string)": object, "tensor(double)": np.float64}
    feed = {entry.name: frame[[entry.name]].to_numpy().astype(kinds[entry.type]) for entry in session.get_inputs()}
    return session.run([session.get_outputs()[0].name], feed)[0]


def _mixed(**parameters: Any) -> Pipeline:
    settings: dict[str, Any] = {"epochs": 5, "random_state": 0, "device": "cpu"} | parameters
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    return Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [("n", numbers, [f"pixel_{r}_{c}" for r in range(8) for c in range(8)]), ("t", texts, ["writer"])]
                ),
            ),
            ("network", NeuralNetworkClassifier(**settings)),
        ]
    )


def _pixels(path: str, **parameters: Any) -> Pipeline:
    network = NeuralNetworkClassifier(module=path, epochs=3, random_state=0, device="cpu", **parameters)
    return Pipeline([("scale", StandardScaler()), ("network", network)])


@pytest.mark.parametrize("names", [np.arange(10), np.array([f"digit {k}" for k in range(10)], dtype=object)])
def test_a_classifier_on_mixed_columns_answers_as_its_graph(digits: Table, names: npt.NDArray[np.generic]) -> None:
    frame, y = digits
    model = _mixed().fit(frame, names[y])
    answers = _answers(_graph(model, frame), frame)
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), atol=TOLERANCE, rtol=0)
    np.testing.assert_array_equal(_labels(_graph(model, frame), frame), model.predict(frame))


def test_in_double_precision_they_answer_alike_to_the_last_digits(digits: Table) -> None:
    frame, y = digits
    model = _mixed().fit(frame, y)
    answers = _answers(_graph(model, frame), frame)
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), atol=1e-14, rtol=0)


def test_two_classes_have_two_probabilities(digits: Table) -> None:
    frame, y = digits
    model = _mixed().fit(frame, y == 3)
    answers = _answers(_graph(model, frame), frame)
    assert answers["probabilities"].shape == (len(y), 2)
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), atol=TOLERANCE, rtol=0)


def test_a_regressor_answers_as_its_graph_in_the_unit_of_the_target(diabetes: Table) -> None:
    frame, y = diabetes
    model = make_pipeline(StandardScaler(), NeuralNetworkRegressor(random_state=0, device="cpu")).fit(frame, y)
    answers = _answers(_graph(model, frame), frame)
    np.testing.assert_allclose(answers["value"], model.predict(frame), atol=TOLERANCE * y.std(), rtol=0)


def test_a_network_without_preprocessing_takes_the_columns_as_they_are(diabetes: Table) -> None:
    frame, y = diabetes
    model = Pipeline([("network", NeuralNetworkRegressor(module="own_networks.Flat", random_state=0, device="cpu"))])
    model.fit(frame, y)
    answers = _answers(_graph(model, frame), frame)
    np.testing.assert_allclose(answers["value"], model.predict(frame), atol=TOLERANCE * y.std(), rtol=0)


@pytest.mark.parametrize(
    ("path", "precision"),
    [
        ("own_networks.Normalised", "double"),
        ("own_networks.Tied", "double"),
        ("own_networks.Tied", "single"),
        ("own_networks.Convolution", "mixed"),  # ONNX Runtime convolves no doubles
        ("own_networks.Single", "double"),
    ],
)
def test_ones_own_module_answers_as_its_graph(digits: Table, path: str, precision: Precision) -> None:
    frame, y = digits[0].drop(columns="writer").fillna(0.0), digits[1]
    model = _pixels(path).fit(frame, y)
    answers = _answers(_graph(model, frame, precision), frame)
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibrated_network_answers_as_its_graph(digits: Table, method: str) -> None:
    frame, y = digits
    fitted = _mixed().fit(frame[:1200], y[:1200])
    model = CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(frame[1200:], y[1200:])
    answers = _answers(_graph(model, frame), frame)
    np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame), atol=TOLERANCE, rtol=0)


def test_the_graph_takes_any_number_of_rows(digits: Table) -> None:
    frame, y = digits[0].drop(columns="writer").fillna(0.0), digits[1]
    model = _pixels("own_networks.Convolution").fit(frame, y)
    graph = _graph(model, frame, "mixed")
    for rows in (1, 2, 3, 1000):
        answers = _answers(graph, frame[:rows])
        np.testing.assert_allclose(answers["probabilities"], model.predict_proba(frame[:rows]), atol=TOLERANCE, rtol=0)


def test_equal_networks_are_equal_graphs_of_the_opset_of_all_models(digits: Table) -> None:
    frame, y = digits
    first, second = (_graph(_mixed().fit(frame, y), frame) for _ in range(2))
    assert first == second
    graph = onnx.load_from_string(first)
    onnx.checker.check_model(graph, full_check=True)
    assert {entry.domain: entry.version for entry in graph.opset_import}[""] <= conversion.OPSETS[""]
    assert not graph.functions


def test_the_graph_says_nothing_of_the_machine_that_wrote_it(digits: Table) -> None:
    frame, y = digits[0].drop(columns="writer").fillna(0.0), digits[1]
    content = _graph(_pixels("own_networks.Normalised").fit(frame, y), frame)
    assert b"own_networks" not in content
    assert b".py" not in content


def test_a_network_that_branches_on_its_rows_is_not_convertible(digits: Table) -> None:
    frame, y = digits[0].drop(columns="writer").fillna(0.0), digits[1]
    model = _pixels("own_networks.Branching").fit(frame, y)
    with pytest.raises(conversion.NotConvertibleError, match=r"torch cannot export own_networks\.Branching"):
        _graph(model, frame)


def test_the_files_of_a_network_are_found_inside_pipelines_and_calibration(digits: Table) -> None:
    frame, y = digits
    fitted = _mixed().fit(frame[:1200], y[:1200])
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(frame[1200:], y[1200:])
    assert network_files(calibrated) == network_files(fitted)
    assert set(network_files(fitted)) == {"network.safetensors", "network.json"}
    assert network_files(make_pipeline(StandardScaler())) == {}
