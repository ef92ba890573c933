"""A fit: the same for the same seed, on the rows and weights that were given, and stopped when it is time."""

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from penstock_jobs.contract.errors import Refused, Unavailable
from penstock_jobs.networks import NeuralNetworkClassifier, NeuralNetworkRegressor
from penstock_jobs.networks.device import check_gpu, require_torch

Digits = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def digits() -> Digits:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float64), y


def _weights(estimator: NeuralNetworkClassifier) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in estimator.network_.state_dict().items()}


def _small(**parameters: Any) -> NeuralNetworkClassifier:
    settings: dict[str, Any] = {"epochs": 3, "random_state": 0, "device": "cpu"} | parameters
    return NeuralNetworkClassifier(**settings)


def test_a_network_learns_digits() -> None:
    X, y = load_digits(return_X_y=True)
    train, test, known, hidden = train_test_split(X, y, random_state=0, stratify=y)
    model = make_pipeline(StandardScaler(), NeuralNetworkClassifier(random_state=0, device="cpu")).fit(train, known)
    assert model.score(test, hidden) > 0.95


def test_a_network_learns_diabetes() -> None:
    X, y = load_diabetes(return_X_y=True)
    train, test, known, hidden = train_test_split(X, y, random_state=0)
    model = make_pipeline(StandardScaler(), NeuralNetworkRegressor(random_state=0, device="cpu")).fit(train, known)
    assert model.score(test, hidden) > 0.25


def test_equal_seeds_give_equal_weights_to_the_bit(digits: Digits) -> None:
    assert _weights(_small(dropout=0.2).fit(*digits)) == _weights(_small(dropout=0.2).fit(*digits))


def test_different_seeds_give_different_weights(digits: Digits) -> None:
    assert _weights(_small(random_state=1).fit(*digits)) != _weights(_small(random_state=2).fit(*digits))


def test_a_fit_neither_reads_nor_moves_the_random_numbers_of_the_process(digits: Digits) -> None:
    torch.manual_seed(1)
    first = _weights(_small(dropout=0.2).fit(*digits))
    torch.manual_seed(2)
    expected = torch.rand(3)
    torch.manual_seed(2)
    assert _weights(_small(dropout=0.2).fit(*digits)) == first
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_clone_fits_to_the_same_weights(digits: Digits) -> None:
    model = _small(module="own_networks.Normalised", module__width=8)
    assert _weights(clone(model).fit(*digits)) == _weights(model.fit(*digits))


def test_early_stopping_keeps_the_weights_of_the_best_epoch(digits: Digits) -> None:
    X, y = digits
    model = _small(epochs=100, learning_rate=0.03, n_iter_no_change=3, tol=0.0, validation_fraction=0.2).fit(X, y)
    losses = [epoch["stopping_loss"] for epoch in model.history_]
    assert model.n_iter_ == len(losses) == model.best_epoch_ + 3
    assert losses[model.best_epoch_ - 1] == min(losses)
    assert losses[-1] > min(losses)

    from penstock_jobs.networks.slicing import stopping_slice

    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    _, watched = stopping_slice(0.2, len(y), seed, y)
    probabilities = model.predict_proba(X[watched])[np.arange(len(watched)), y[watched]]
    assert -np.log(probabilities).mean() == pytest.approx(min(losses), rel=1e-5)


def test_the_rows_that_early_stopping_watches_are_not_fitted(digits: Digits) -> None:
    X, y = digits
    from penstock_jobs.networks.slicing import stopping_slice

    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    _, watched = stopping_slice(0.1, len(y), seed, y)
    changed = X.copy()
    changed[watched] = 1 - changed[watched]
    patient = {"epochs": 2, "n_iter_no_change": 99}
    first, second = _small(**patient).fit(X, y), _small(**patient).fit(changed, y)
    assert [e["training_loss"] for e in first.history_] == [e["training_loss"] for e in second.history_]
    assert [e["stopping_loss"] for e in first.history_] != [e["stopping_loss"] for e in second.history_]


def test_without_early_stopping_every_epoch_is_trained_and_no_row_is_watched(digits: Digits) -> None:
    model = _small(early_stopping=False, epochs=4).fit(*digits)
    assert model.n_iter_ == model.best_epoch_ == 4
    assert all(epoch["stopping_loss"] is None for epoch in model.history_)


def test_a_row_of_weight_zero_is_as_if_it_were_not_there(digits: Digits) -> None:
    X, y = digits
    weights = np.ones(len(y))
    weights[::3] = 0
    without = _small().fit(X[weights > 0], y[weights > 0])
    assert _weights(_small().fit(X, y, sample_weight=weights)) == _weights(without)


def test_only_the_ratio_of_weights_matters(digits: Digits) -> None:
    X, y = digits
    weights = np.where(y == 3, 4.0, 1.0)
    assert _weights(_small().fit(X, y, weights)) == _weights(_small().fit(X, y, weights * 8))


def test_class_weights_multiply_the_weights_of_rows(digits: Digits) -> None:
    X, y = digits
    by_class = _small(class_weight={3: 4.0}).fit(X, y)
    by_row = _small().fit(X, y, sample_weight=np.where(y == 3, 4.0, 1.0))
    assert _weights(by_class) == _weights(by_row)


def test_sparse_features_are_fitted_as_dense_ones(digits: Digits) -> None:
    X, y = digits
    sparse = scipy.sparse.csr_matrix(X)
    dense = _small().fit(X, y)
    assert _weights(_small().fit(sparse, y)) == _weights(dense)
    np.testing.assert_array_equal(dense.predict_proba(sparse), dense.predict_proba(X))


def test_classes_may_be_text(digits: Digits) -> None:
    X, y = digits
    names = np.array(["even", "odd"], dtype=object)[y % 2]
    model = _small(epochs=20).fit(X, names)
    assert list(model.classes_) == ["even", "odd"]
    assert (model.predict(X) == names).mean() > 0.9


def test_a_target_far_from_zero_is_learnt_as_one_near_zero() -> None:
    X, y = load_diabetes(return_X_y=True)
    near = NeuralNetworkRegressor(random_state=0, device="cpu").fit(X, y)
    far = NeuralNetworkRegressor(random_state=0, device="cpu").fit(X, 2.0**20 + y * 1024)
    np.testing.assert_allclose((far.predict(X) - 2.0**20) / 1024, near.predict(X), rtol=0.02)


def test_a_constant_target_is_predicted() -> None:
    X, _ = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(random_state=0, device="cpu").fit(X, np.full(len(X), 7.0))
    np.testing.assert_allclose(model.predict(X), 7.0, atol=0.3)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("activation", ["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "tanh"])
def test_every_optimizer_and_activation_lowers_the_loss(digits: Digits, optimizer: str, activation: str) -> None:
    model = _small(optimizer=optimizer, activation=activation, epochs=3, early_stopping=False).fit(*digits)
    assert model.history_[-1]["training_loss"] < model.history_[0]["training_loss"]


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_every_loss_of_a_regression_falls(loss: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(loss=loss, random_state=0, device="cpu", early_stopping=False, epochs=20).fit(X, y)
    assert model.history_[-1]["training_loss"] < model.history_[0]["training_loss"]


def test_a_loss_that_is_no_number_ends_the_fit_with_a_sentence() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = NeuralNetworkRegressor(learning_rate=1e20, optimizer="sgd", random_state=0, device="cpu")
    with pytest.raises(ValueError, match="no longer a finite number at epoch 1; lower the learning_rate"):
        model.fit(X, y)


def test_an_interrupted_fit_is_no_fit(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock_jobs.networks import modules

    def interrupted(self: object, rows: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(modules.Perceptron, "forward", interrupted)
    model = _small()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*digits)
    assert not hasattr(model, "network_")


def test_an_unknown_parameter_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="has no parameter hiden"):
        NeuralNetworkClassifier(hiden=3)


def test_a_value_out_of_bounds_is_refused_by_name(digits: Digits) -> None:
    with pytest.raises(ValueError, match="dropout"):
        _small(dropout=1.0).fit(*digits)


def test_importing_the_estimators_does_not_import_torch() -> None:
    code = "import sys, penstock_jobs.networks; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("absent", ["torch", "skorch"])
def test_without_torch_the_sentence_says_what_to_install(
    digits: Digits, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(Refused, match=rf"{absent} is not installed: install penstock\[torch\]\.$"):
        require_torch()
    with pytest.raises(Refused, match="install penstock"):
        _small().fit(*digits)


def test_a_job_that_requires_a_gpu_and_finds_none_fails_with_that_sentence(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Unavailable, match="A GPU was asked for and none was found"):
        check_gpu("Required")
    with pytest.raises(Unavailable, match="A GPU was asked for and none was found"):
        _small(device="cuda").fit(*digits)


def test_a_job_that_may_fall_back_uses_the_processor_and_says_so(
    digits: Digits, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_gpu("Preferred")
    assert "No GPU was found; the job goes on with the processor" in caplog.text
    assert _weights(_small(device="auto").fit(*digits)) == _weights(_small(device="cpu").fit(*digits))
