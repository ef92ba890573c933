"""The network itself: the perceptron that is built by default, or the user's own module by its dotted path."""

import copy
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from penstock_jobs.contract.errors import Refused
from penstock_jobs.importing import import_object

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Perceptron(nn.Module):
    """Linear layers with an activation between them and dropout after each; the last layer's output is as it is.

    Input (rows, input_size), output (rows, output_size): logits of the classes, or the standardised target.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden_layer_sizes: Sequence[int] = (64, 32),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = input_size
        for hidden in hidden_layer_sizes:
            layers += [nn.Linear(size, hidden), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            size = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(size, output_size))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the last layer's output for each row."""
        outputs: torch.Tensor = self.layers(rows)
        return outputs


def import_module_class(path: str) -> type[nn.Module]:
    """Return the `torch.nn.Module` class at a dotted path, or raise `Refused` with the reason in a sentence."""
    found = import_object(path, "The network's module")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise Refused(f"The network's module is {path}, which is not a subclass of torch.nn.Module.")
    return found


def build_own(path: str, input_size: int, output_size: int, parameters: dict[str, Any]) -> nn.Module:
    """Return the user's module at `path`, called with the two sizes and its own parameters."""
    kind = import_module_class(path)
    try:
        return kind(input_size, output_size, **parameters)
    except TypeError as error:
        given = ", ".join(f"module__{name}" for name in parameters) or "no module__ parameters"
        raise Refused(
            f"The network's module {path} cannot be called with the input size, the output size and {given}: {error}."
        ) from error


def convert_precision(network: nn.Module, precision: Literal["double", "single"]) -> nn.Module:
    """Return a copy of the network for prediction, its weights in that precision (every float32 is a double)."""
    copied = copy.deepcopy(network).eval()
    return copied.double() if precision == "double" else copied


def runs_in_double(network: nn.Module, input_size: int) -> bool:
    """Return whether the network answers to doubles with doubles: one that names float32 in its code does not."""
    try:
        with torch.no_grad():
            outputs = convert_precision(network, "double")(torch.zeros(2, input_size, dtype=torch.float64))
    except RuntimeError:  # torch's word for numbers of two kinds in one operation
        return False
    return bool(outputs.dtype == torch.float64)
