"""One's own torch module in a manifest: how it is called, and the sentence for each way it can be wrong."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_diabetes, load_digits

from penstock_jobs.contract.errors import Refused
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor

Digits = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]

pytestmark = pytest.mark.torch
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def digits() -> Digits:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def _own(path: str, **parameters: Any) -> NeuralNetworkClassifier:
    settings: dict[str, Any] = {"module": path, "random_state": 0, "device": "cpu", "epochs": 40} | parameters
    return NeuralNetworkClassifier(**settings)


@pytest.mark.parametrize("path", ["own_networks.Normalised", "own_networks.Convolution", "own_networks.Tied"])
def test_ones_own_module_is_trained(digits: Digits, path: str) -> None:
    X, y = digits
    model = _own(path, learning_rate=0.005).fit(X[:1200], y[:1200])
    assert model.score(X[1200:], y[1200:]) > 0.85


def test_it_is_called_with_the_two_sizes_and_its_own_parameters(digits: Digits) -> None:
    network = _own("own_networks.Normalised", module__width=5, epochs=1).fit(*digits).network_
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert (shapes["enter.weight"], shapes["leave.weight"]) == ((5, 64), (10, 5))


def test_its_parameters_are_searched_like_any_other() -> None:
    model = _own("own_networks.Normalised", module__width=5)
    assert model.get_params()["module__width"] == 5
    assert model.set_params(module__width=6, epochs=2).get_params()["module__width"] == 6
    assert model.epochs == 2


def test_a_regression_may_return_one_number_a_row() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(module="own_networks.Flat", random_state=0, device="cpu").fit(X, y)
    assert model.predict(X).shape == y.shape
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.6


def test_batch_normalisation_survives_a_last_batch_of_one_row(digits: Digits) -> None:
    X, y = digits
    _own("own_networks.Normalised", epochs=1, batch_size=64, early_stopping=False).fit(X[:129], y[:129])


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"module": "own_networks.Normalized"}, "own_networks has no Normalized; the nearest is Normalised"),
        ({"module": "no_such_file.Net"}, "there is no module no_such_file"),
        ({"module": "Net"}, "write its whole dotted path"),
        ({"module": "own_networks.NoModule"}, "is not a subclass of torch.nn.Module"),
        ({"module": "own_networks.Normalised", "module__wdth": 3}, r"and module__wdth: .*wdth"),
        ({"module": None, "module__width": 3}, "module__width is for a network of one's own, and `module` names none"),
    ],
)
def test_a_module_that_cannot_be_built_is_refused_in_a_sentence(
    digits: Digits, parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        NeuralNetworkClassifier(**{"device": "cpu", **parameters}).fit(*digits)


def test_a_module_that_is_not_there_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(Refused, match="there is no module no_such_file"):
        _own("no_such_file.Net").check_available()


def test_outputs_of_the_wrong_shape_are_named(digits: Digits) -> None:
    with pytest.raises(ValueError, match=r"returned the shape \(64, 11\) for 64 rows and 10 classes"):
        _own("own_networks.TooMany").fit(*digits)
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=r"a regression needs \(64, 1\)"):
        NeuralNetworkRegressor(module="own_networks.TooMany", device="cpu").fit(X, y)
