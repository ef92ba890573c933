"""What the two estimators share: parameters, the fit, and the outputs of the fitted network."""

from collections.abc import Mapping
from dataclasses import asdict
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from penstock_jobs.contract.errors import Refused
from penstock_jobs.networks.device import make_repeatable, prediction_device, require_torch, select_device
from penstock_jobs.networks.slicing import stopping_slice

if TYPE_CHECKING:
    import torch

    from penstock_jobs.networks.batches import Slices
    from penstock_jobs.networks.fitting import Plan

OWN = "module__"
_ROWS_AT_ONCE = 8192


class NeuralNetwork(BaseEstimator):  # type: ignore[misc]
    """The part of the estimators that does not depend on what is predicted."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "tanh"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions({"adam", "adamw", "rmsprop", "sgd"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "module": [str, None],
        "device": [str],
        "random_state": ["random_state"],
    }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of one's own module (`module__…`) included."""
        own = {name: value for name, value in vars(self).items() if name.startswith(OWN)}
        return {**super().get_params(deep), **own}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters, those of one's own module (`module__…`) included."""
        own = {name: value for name, value in parameters.items() if name.startswith(OWN)}
        super().set_params(**{name: value for name, value in parameters.items() if name not in own})
        self.__dict__.update(own)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _keep_own(self, own: Mapping[str, Any]) -> None:
        """Keep the parameters that the constructor has no name for: they must be the module's."""
        for name in own:
            if not name.startswith(OWN):
                raise TypeError(f"{type(self).__name__} has no parameter {name}.")
        self.__dict__.update(own)

    def _own_parameters(self) -> dict[str, Any]:
        return {name.removeprefix(OWN): value for name, value in vars(self).items() if name.startswith(OWN)}

    @staticmethod
    def preload() -> None:
        """Import torch and skorch now, in a process that others will be forked from, so that each does not."""
        require_torch()
        from penstock_jobs.networks import fitting, modules  # noqa: F401

    def check_available(self) -> None:
        """Raise `Refused` where torch is missing, or one's own module, or a parameter that goes with it.

        A job asks before it trains anything; `fit` asks again.
        """
        require_torch()
        if self.module is not None:
            from penstock_jobs.networks.modules import import_module_class

            import_module_class(self.module)
        elif self._own_parameters():
            raise Refused(
                f"{OWN}{next(iter(self._own_parameters()))} is for a network of one's own, and `module` names none."
            )

    def _validate_rows(self, X: Any, y: Any, *, numeric: bool) -> tuple[Any, np.ndarray]:
        """Return the features as float32, dense or CSR, and the target, both found sound."""
        self._validate_params()
        self.check_available()
        validated: tuple[Any, np.ndarray] = validate_data(
            self, X, y, accept_sparse="csr", dtype=np.float32, order="C", y_numeric=numeric, ensure_min_samples=2
        )
        return validated

    def _train(self, X: Any, targets: np.ndarray, weights: np.ndarray, output_size: int, loss: str) -> None:
        """Build the network and fit it; rows whose weight is 0 are as if they were not there."""
        from penstock_jobs.networks.fitting import fit

        device = select_device(self.device)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        slices = self._slices(X, targets, weights, seed)
        with make_repeatable(seed, device):
            network = build_network(self, self.n_features_in_, output_size)
            done = fit(network, slices, self._plan(loss, output_size), device, seed)
        self._keep(network.cpu())
        self.history_ = [asdict(epoch) for epoch in done.epochs]
        self.n_iter_ = len(done.epochs)
        self.best_epoch_ = done.best_epoch

    def _keep(self, network: "torch.nn.Module") -> None:
        """Keep the fitted network, and the precision in which it will predict."""
        from penstock_jobs.networks.modules import runs_in_double

        self.network_ = network
        self.precision_: Literal["double", "single"] = (
            "double" if runs_in_double(network, self.n_features_in_) else "single"
        )

    def _slices(self, X: Any, targets: np.ndarray, weights: np.ndarray, seed: int) -> "Slices":
        from penstock_jobs.networks.batches import RowSlice, Slices

        present = np.flatnonzero(weights > 0)
        if len(present) < 2:
            raise ValueError("A network needs at least 2 rows whose sample_weight is above 0.")
        if not self.early_stopping:
            return Slices(RowSlice.with_weights(X, targets, weights, present), None)
        classes = targets[present] if np.issubdtype(targets.dtype, np.integer) else None
        fitted, watched = stopping_slice(self.validation_fraction, len(present), seed, classes)
        return Slices(
            RowSlice.with_weights(X, targets, weights, present[fitted]),
            RowSlice.with_weights(X, targets, weights, present[watched]),
        )

    def _plan(self, loss: str, output_size: int) -> "Plan":
        from penstock_jobs.networks.fitting import Plan, StoppingRule

        return Plan(
            loss=loss,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            weight_decay=float(self.weight_decay),
            batch_size=int(self.batch_size),
            epochs=int(self.epochs),
            patience=StoppingRule(int(self.n_iter_no_change), float(self.tol)) if self.early_stopping else None,
            output_size=output_size,
        )

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the network says of each row: (rows, output size). One batch at a time is dense.

        It is trained in single precision, and predicts in double: sums of float32 come out otherwise on another
        processor or in another order, and a threshold or an isotonic calibration can turn the last bit into another
        answer.
        """
        import torch

        from penstock_jobs.networks.batches import bounds, dense_tensor
        from penstock_jobs.networks.modules import convert_precision

        check_is_fitted(self)
        kind = np.float64 if self.precision_ == "double" else np.float32
        rows = validate_data(self, X, accept_sparse="csr", dtype=kind, reset=False)
        device = prediction_device(self.device)
        network = convert_precision(self.network_, self.precision_).to(device)
        outputs = np.empty((rows.shape[0], self._output_size()))
        with torch.inference_mode():
            for start, end in bounds(rows.shape[0], _ROWS_AT_ONCE):
                batch = dense_tensor(rows[start:end], kind).to(device)
                outputs[start:end] = network(batch).reshape(end - start, -1).cpu().numpy()
        return outputs

    def _output_size(self) -> int:
        raise NotImplementedError


def build_network(estimator: NeuralNetwork, input_size: int, output_size: int) -> "torch.nn.Module":
    """Return the network that the estimator's parameters describe, with fresh weights."""
    from penstock_jobs.networks.modules import Perceptron, build_own

    if estimator.module is not None:
        return build_own(estimator.module, input_size, output_size, estimator._own_parameters())
    sizes = np.atleast_1d(estimator.hidden_layer_sizes).tolist()
    return Perceptron(input_size, output_size, sizes, estimator.activation, estimator.dropout)
