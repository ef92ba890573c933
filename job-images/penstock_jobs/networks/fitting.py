"""One fit of a network: skorch's loop over batches, with weights, early stopping and a history.

skorch's own `fit` takes a Ctrl-C for the end of the training, so that a candidate cut short would be scored as a whole
one. So its loop is driven from here, and early stopping has an exception of its own.
"""

import contextlib
import math
from dataclasses import dataclass
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, PassthroughScoring
from skorch.utils import to_device
from torch import nn

from penstock_jobs.networks.batches import Batches, RowSlice, Slices

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {"fused": True}),
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "sgd": (torch.optim.SGD, {"fused": True, "momentum": 0.9, "nesterov": True}),
}

CRITERIA: dict[str, type[nn.Module]] = {
    "absolute_error": nn.L1Loss,
    "cross_entropy": nn.CrossEntropyLoss,
    "huber": nn.HuberLoss,
    "squared_error": nn.MSELoss,
}


@dataclass(frozen=True)
class StoppingRule:
    """Stop after `epochs` in which the watched loss did not fall by more than `tolerance` below its best."""

    epochs: int
    tolerance: float


@dataclass(frozen=True)
class Plan:
    """How to fit: names as in `OPTIMIZERS` and `CRITERIA`, the rest as the estimators document it."""

    loss: str
    optimizer: str
    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int
    patience: StoppingRule | None
    output_size: int


@dataclass(frozen=True)
class Epoch:
    """The mean loss of an epoch, on the rows that are fitted and on those that are watched (where there are any)."""

    epoch: int
    training_loss: float
    stopping_loss: float | None


@dataclass(frozen=True)
class Fit:
    """The epochs of a fit, and the one whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best_epoch: int


class _Stop(Exception):
    """The watched loss has stopped falling."""


class _Watch(Callback):  # type: ignore[misc]
    """Keep the best weights, stop when patience ends, and refuse a loss that is no number."""

    def __init__(self, patience: StoppingRule | None) -> None:
        self.patience = patience
        self.best_epoch = 0
        self.best_loss = math.inf
        self.bar = math.inf
        self.misses = 0
        self.weights: dict[str, torch.Tensor] = {}

    def on_epoch_end(self, net: NeuralNet, **_: Any) -> None:
        """Judge the epoch that has just ended."""
        epoch = net.history[-1]
        epoch["batches"].clear()  # a record of every step of a long fit would outgrow the rows
        loss = epoch["train_loss"] if self.patience is None else epoch["valid_loss"]
        if not (math.isfinite(loss) and math.isfinite(epoch["train_loss"])):
            raise ValueError(
                f"The loss is no longer a finite number at epoch {epoch['epoch']}; "
                "lower the learning_rate or scale the features."
            )
        if self.patience is None:
            self.best_epoch = epoch["epoch"]
            return
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch["epoch"]
            self.weights = {name: value.detach().clone() for name, value in net.module_.state_dict().items()}
        self.misses = 0 if loss < self.bar - self.patience.tolerance else self.misses + 1
        if self.misses == 0:
            self.bar = loss
        if self.misses >= self.patience.epochs:
            raise _Stop


class _Net(NeuralNet):  # type: ignore[misc]
    """skorch's net over `Slices`, with a weight for each row."""

    def get_split_datasets(self, X: Slices, y: None = None, **_: Any) -> tuple[RowSlice, RowSlice | None]:
        """Return the two slices as they are."""
        return X.fitting, X.stopping

    def get_iterator(self, dataset: RowSlice, training: bool = False) -> Batches:
        """Return the batches of a slice, shuffled where they are fitted."""
        return Batches(dataset, self.batch_size, self.generator if training else None)

    def get_loss(
        self,
        y_pred: torch.Tensor,
        y_true: tuple[torch.Tensor, torch.Tensor],
        X: torch.Tensor | None = None,
        training: bool = False,
    ) -> torch.Tensor:
        """Return the weighted mean loss of a batch; the weights have a mean of 1 over their slice."""
        targets, weights = to_device(y_true, self.device)
        classes = self.output_size if isinstance(self.criterion_, nn.CrossEntropyLoss) else None
        losses: torch.Tensor = self.criterion_(reshape_outputs(y_pred, classes), targets)
        mean: torch.Tensor = (losses * weights).mean()
        return mean


def reshape_outputs(outputs: torch.Tensor, classes: int | None) -> torch.Tensor:
    """Return a module's outputs as (rows, classes), or (rows,) for a regression; else say what they should be."""
    rows = len(outputs)
    if classes is not None:
        if outputs.shape != (rows, classes):
            raise ValueError(
                f"The module returned the shape {tuple(outputs.shape)} for {rows} rows and {classes} classes; "
                f"it must return a logit for each class: ({rows}, {classes})."
            )
        return outputs
    if outputs.shape not in ((rows,), (rows, 1)):
        raise ValueError(
            f"The module returned the shape {tuple(outputs.shape)} for {rows} rows; a regression needs ({rows}, 1)."
        )
    return outputs.reshape(rows)


def fit(module: nn.Module, slices: Slices, plan: Plan, device: torch.device, seed: int) -> Fit:
    """Fit the module's weights in place, on `device`, and leave it there in evaluation mode.

    With patience, the weights at the end are those of the epoch whose watched loss was least.
    """
    watch = _Watch(plan.patience)
    net = _net(module, plan, device, watch, seed)
    net.initialize()
    net.notify("on_train_begin", X=slices, y=None)
    with contextlib.suppress(_Stop):
        net.fit_loop(slices, None, epochs=plan.epochs)
    if watch.weights:
        net.module_.load_state_dict(watch.weights)
    net.module_.eval()
    epochs = tuple(_epoch(row) for row in net.history)
    return Fit(epochs, watch.best_epoch)


def _epoch(row: dict[str, Any]) -> Epoch:
    watched = row.get("valid_loss")
    return Epoch(int(row["epoch"]), float(row["train_loss"]), None if watched is None else float(watched))


def _net(module: nn.Module, plan: Plan, device: torch.device, watch: _Watch, seed: int) -> _Net:
    optimizer, options = OPTIMIZERS[plan.optimizer]
    callbacks: list[tuple[str, Callback]] = [("train_loss", PassthroughScoring("train_loss", on_train=True))]
    if plan.patience is not None:
        callbacks.append(("valid_loss", PassthroughScoring("valid_loss")))
    net = _Net(
        module,
        CRITERIA[plan.loss],
        criterion__reduction="none",
        optimizer=optimizer,
        optimizer__weight_decay=plan.weight_decay,
        lr=plan.learning_rate,
        batch_size=plan.batch_size,
        callbacks=[*callbacks, ("watch", watch)],
        device=device,
        verbose=0,
        **{f"optimizer__{name}": value for name, value in options.items()},
    )
    net.get_default_callbacks = list
    net.output_size = plan.output_size
    net.generator = torch.Generator().manual_seed(seed)
    return net
