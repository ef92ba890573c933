"""The same network on a GPU: chosen where there is one, equal again for equal seeds, near the processor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_diabetes, load_digits

from penstock_jobs.contract.errors import Unavailable
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor
from penstock_jobs.networks.device import check_gpu, select_device
from penstock_jobs.networks.saving import dump

Digits = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device on this machine"),
]


@pytest.fixture(scope="module")
def digits() -> Digits:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def _fitted(data: Digits, **parameters: Any) -> NeuralNetworkClassifier:
    settings: dict[str, Any] = {"epochs": 20, "random_state": 0, "device": "cuda"} | parameters
    return NeuralNetworkClassifier(**settings).fit(*data)


def _allocated_by(work: Callable[[], object]) -> int:
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    work()
    return torch.cuda.max_memory_allocated() - before


def test_auto_takes_the_gpu() -> None:
    check_gpu("Required")
    assert select_device("auto").type == "cuda"
    assert select_device("cpu").type == "cpu"


def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match="cuda:99 was asked for, and this machine has"):
        select_device("cuda:99")


def test_the_fit_and_the_predictions_are_on_the_gpu(digits: Digits) -> None:
    assert _allocated_by(lambda: _fitted(digits, epochs=1)) > 0
    model = _fitted(digits, epochs=1)
    assert _allocated_by(lambda: model.predict(digits[0])) > 0
    assert _allocated_by(lambda: model.set_params(device="cpu").predict(digits[0])) == 0


def test_a_fit_on_the_processor_leaves_the_gpu_alone(digits: Digits) -> None:
    assert _allocated_by(lambda: _fitted(digits, device="cpu", epochs=1)) == 0


def test_the_fitted_network_is_left_on_the_processor(digits: Digits) -> None:
    assert {value.device.type for value in _fitted(digits, epochs=1).network_.state_dict().values()} == {"cpu"}


@pytest.mark.parametrize("module", [None, "own_networks.Normalised", "own_networks.Convolution"])
def test_equal_seeds_give_equal_weights_on_one_gpu(digits: Digits, module: str | None) -> None:
    assert dump(_fitted(digits, module=module)) == dump(_fitted(digits, module=module))


def test_a_fit_on_the_gpu_does_not_move_its_random_numbers(digits: Digits) -> None:
    torch.cuda.manual_seed(1)
    expected = torch.rand(3, device="cuda")
    torch.cuda.manual_seed(1)
    _fitted(digits, epochs=1, dropout=0.2)
    assert torch.equal(torch.rand(3, device="cuda"), expected)


def test_one_network_predicts_alike_on_both(digits: Digits) -> None:
    model = _fitted(digits)
    on_gpu = model.predict_proba(digits[0])
    np.testing.assert_allclose(model.set_params(device="cpu").predict_proba(digits[0]), on_gpu, atol=1e-12, rtol=0)


def test_both_learn_equally_well(digits: Digits) -> None:
    X, y = digits
    scores = [_fitted((X[:1200], y[:1200]), device=device).score(X[1200:], y[1200:]) for device in ("cpu", "cuda")]
    assert abs(scores[0] - scores[1]) < 0.03
    assert min(scores) > 0.9


def test_a_regression_is_fitted_on_the_gpu() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(random_state=0, device="cuda").fit(X, y)
    assert model.score(X, y) > 0.4
