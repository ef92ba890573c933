"""The two estimators. They keep scikit-learn's conventions, and its names where it has one for the same thing."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from penstock_jobs.networks.base import NeuralNetwork


class NeuralNetworkClassifier(ClassifierMixin, NeuralNetwork):  # type: ignore[misc]
    """A neural network that predicts a class, trained on the cross entropy of its logits.

    Args:
        hidden_layer_sizes: The units of each hidden layer, `(64, 32)` by default. `()` is a linear model.
        activation: `elu`, `gelu`, `leaky_relu`, `relu`, `sigmoid`, `silu` or `tanh`, after each hidden layer.
        dropout: The share of a hidden layer's units that is left out at each step of training, in [0, 1).
        learning_rate: The optimizer's step, above 0.
        weight_decay: How strongly weights are drawn to 0 (L2; decoupled with `adamw`).
        batch_size: Rows a step.
        epochs: Passes over the training rows, at most.
        optimizer: `adam`, `adamw`, `rmsprop`, or `sgd` (with Nesterov's momentum of 0.9).
        early_stopping: Whether to watch a slice of the training rows, stop when its loss no longer falls, and keep the
            weights of the epoch where it was least. The validation set is never looked at.
        validation_fraction: How much of the training rows is that slice, in (0, 1). Each class gives its share.
        n_iter_no_change: After how many epochs without improvement to stop.
        tol: By how much the loss must fall to count as an improvement.
        module: The dotted path of one's own `torch.nn.Module`, in place of the perceptron. It is called with the input
            size, the output size (the number of classes) and all `module__…` parameters, without that prefix, and
            returns a logit for each class, (rows, classes).
        device: `auto` (a GPU where there is one), `cpu`, `cuda`, or one GPU of several: `cuda:1`.
        class_weight: A weight for each class, `balanced`, or None; it multiplies `sample_weight`.
        random_state: The seed of the weights, the batches and the slice. Equal seeds give equal weights on a processor,
            to the bit, with the same number of threads.
        **module__parameters: The `module__…` parameters.

    Attributes:
        classes_: The classes, sorted, (classes,).
        network_: The fitted module, on the processor.
        precision_: In which it predicts: `double`, or `single` where one's own module cannot otherwise.
        history_: For each epoch its number (`epoch`), `training_loss` and `stopping_loss`.
        best_epoch_: The epoch whose weights were kept.
        n_iter_: How many epochs there were.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeuralNetwork._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | int = (64, 32),
        activation: str = "relu",
        dropout: float = 0.0,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        batch_size: int = 64,
        epochs: int = 200,
        optimizer: str = "adamw",
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 0.0001,
        module: str | None = None,
        device: str = "auto",
        class_weight: dict[Any, float] | str | None = None,
        random_state: int | np.random.RandomState | None = None,
        **module__parameters: Any,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.module = module
        self.device = device
        self.class_weight = class_weight
        self.random_state = random_state
        self._keep_own(module__parameters)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to features (rows, columns), dense or sparse, and a class for each row (rows,)."""
        X, y = self._validate_rows(X, y, numeric=False)
        check_classification_targets(y)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        weights = weights * compute_sample_weight(self.class_weight, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        present = np.unique(codes[weights > 0])
        if len(present) < 2:
            raise ValueError(
                f"The target has the single class {self.classes_[present].tolist()}; a classifier needs two classes."
            )
        self._train(X, codes.astype(np.int64), weights, len(self.classes_), "cross_entropy")
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class of `classes_`, (rows, classes)."""
        import torch

        return torch.from_numpy(self._outputs(X)).softmax(dim=1).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row, (rows,)."""
        chosen = self._outputs(X).argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def _output_size(self) -> int:
        return len(self.classes_)


class NeuralNetworkRegressor(RegressorMixin, NeuralNetwork):  # type: ignore[misc]
    """A neural network that predicts a number. It is trained on the standardised target.

    Parameters and attributes are those of `NeuralNetworkClassifier`, but for the classes and their weights; one's own
    `module` is called with the output size 1, and returns the standardised target, (rows, 1) or (rows,).

    Args:
        loss: `squared_error`, `absolute_error`, or `huber` (of the standardised target; linear from 1 on).

    Attributes:
        target_mean_: The mean of the target, in its own unit.
        target_scale_: The standard deviation of the target, in its own unit; 1 where the target is constant.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeuralNetwork._parameter_constraints,
        "loss": [StrOptions({"squared_error", "absolute_error", "huber"})],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | int = (64, 32),
        activation: str = "relu",
        dropout: float = 0.0,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        batch_size: int = 64,
        epochs: int = 200,
        optimizer: str = "adamw",
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 0.0001,
        module: str | None = None,
        device: str = "auto",
        loss: str = "squared_error",
        random_state: int | np.random.RandomState | None = None,
        **module__parameters: Any,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.module = module
        self.device = device
        self.loss = loss
        self.random_state = random_state
        self._keep_own(module__parameters)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to features (rows, columns), dense or sparse, and a number for each row (rows,)."""
        X, y = self._validate_rows(X, y, numeric=True)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weights.any():
            raise ValueError("Every sample_weight is 0; there is no row to fit.")
        numbers = y.astype(np.float64)
        self.target_mean_ = float(np.average(numbers, weights=weights))
        spread = float(np.sqrt(np.average((numbers - self.target_mean_) ** 2, weights=weights)))
        self.target_scale_ = spread if spread > 0 else 1.0
        targets = ((numbers - self.target_mean_) / self.target_scale_).astype(np.float32)
        self._train(X, targets, weights, 1, self.loss)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted number of each row, (rows,)."""
        return np.asarray(self._outputs(X)[:, 0] * self.target_scale_ + self.target_mean_)

    def _output_size(self) -> int:
        return 1
