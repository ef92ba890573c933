"""A network's own files: weights and architecture, read again without running anything that they name."""

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_diabetes, load_digits

from penstock_jobs.contract.errors import Refused
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

from penstock_jobs.networks.saving import ARCHITECTURE, WEIGHTS, dump, load  # noqa: E402

Digits = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


@pytest.fixture(scope="module")
def digits() -> Digits:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def _fitted(digits: Digits, **parameters: Any) -> NeuralNetworkClassifier:
    settings: dict[str, Any] = {"epochs": 2, "random_state": 0, "device": "cpu"} | parameters
    return NeuralNetworkClassifier(**settings).fit(*digits)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": (20,), "activation": "tanh", "dropout": 0.3},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": 7},
        {"module": "own_networks.Normalised", "module__width": 9},
        {"module": "own_networks.Tied"},
    ],
)
def test_a_classifier_read_again_answers_to_the_bit(digits: Digits, parameters: dict[str, object]) -> None:
    model = _fitted(digits, **parameters)
    again = load(dump(model), trusted_modules=["own_networks.Normalised", "own_networks.Tied"])
    np.testing.assert_array_equal(again.predict_proba(digits[0]), model.predict_proba(digits[0]))
    np.testing.assert_array_equal(again.predict(digits[0]), model.predict(digits[0]))


def test_classes_of_text_are_read_again(digits: Digits) -> None:
    X, y = digits
    model = _fitted((X, np.array(["even", "odd"], dtype=object)[y % 2]))
    assert list(load(dump(model)).predict(X)) == list(model.predict(X))


def test_a_regressor_read_again_answers_to_the_bit() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(epochs=3, random_state=0, device="cpu").fit(X, y)
    np.testing.assert_array_equal(load(dump(model)).predict(X), model.predict(X))


def test_equal_networks_are_equal_files(digits: Digits) -> None:
    assert dump(_fitted(digits)) == dump(_fitted(digits))


def test_the_files_are_a_json_object_and_plain_numbers(digits: Digits) -> None:
    files = dump(_fitted(digits))
    assert json.loads(files[ARCHITECTURE])["inputSize"] == 64
    (length,) = struct.unpack("<Q", files[WEIGHTS][:8])
    header = json.loads(files[WEIGHTS][8 : 8 + length])
    assert {entry["dtype"] for entry in header.values()} == {"F32"}


def test_a_module_is_imported_only_if_whoever_loads_trusts_it(digits: Digits) -> None:
    files = dump(_fitted(digits, module="own_networks.Normalised"))
    with pytest.raises(Refused, match=r"asks for the module own_networks\.Normalised, which would run its code"):
        load(files)
    files[ARCHITECTURE] = files[ARCHITECTURE].replace(b"own_networks.Normalised", b"os.system")
    with pytest.raises(Refused, match=r"asks for the module os\.system"):
        load(files, trusted_modules=["own_networks.Normalised"])


def test_weights_of_another_architecture_are_refused(digits: Digits) -> None:
    files = dump(_fitted(digits)) | {WEIGHTS: dump(_fitted(digits, hidden_layer_sizes=(5,)))[WEIGHTS]}
    with pytest.raises(Refused, match=r"network\.safetensors does not hold the weights that network\.json describes"):
        load(files)


@pytest.mark.parametrize("name", [WEIGHTS, ARCHITECTURE])
def test_a_file_cut_short_is_refused(digits: Digits, name: str) -> None:
    files = dump(_fitted(digits))
    files[name] = files[name][: len(files[name]) // 2]
    with pytest.raises(Refused, match=name):
        load(files)
