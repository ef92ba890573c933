"""A fitted network as data: weights as safetensors, architecture as JSON. Neither can run code when it is read."""

from collections.abc import Collection
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np

from penstock_jobs.contract import document
from penstock_jobs.contract.document import Form, VersionedDocument
from penstock_jobs.contract.errors import Refused
from penstock_jobs.networks.base import OWN, NeuralNetwork, build_network
from penstock_jobs.networks.device import require_torch
from penstock_jobs.networks.estimators import NeuralNetworkClassifier, NeuralNetworkRegressor

NETWORK = Form("network", 1, since="0.1.0")
FORMAT = NETWORK.name
WEIGHTS = "network.safetensors"
ARCHITECTURE = "network.json"


class Architecture(VersionedDocument, frozen=True):
    """`network.json`: what the weights are the weights of.

    `classes` are in the order of the outputs; a regression's output times `target_scale` plus `target_mean` is the
    prediction. With `module`, the network is one's own class at that dotted path, called with `module_parameters`.
    """

    form: ClassVar[Form] = NETWORK

    format: str
    kind: Literal["Classifier", "Regressor"]
    input_size: int
    output_size: int
    hidden_layer_sizes: tuple[int, ...] = ()
    activation: str = "relu"
    dropout: float = 0.0
    module: str | None = None
    module_parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    classes: tuple[str | int | bool | float, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0


def dump(estimator: NeuralNetwork) -> dict[str, bytes]:
    """Return the files of a fitted network by their names: the same bytes for the same network."""
    import safetensors.torch

    # Weights that two layers share are written twice: safetensors refuses memory that belongs to two names.
    weights = {name: value.detach().clone().contiguous() for name, value in estimator.network_.state_dict().items()}
    return {
        ARCHITECTURE: document.encode(_architecture(estimator)),
        WEIGHTS: safetensors.torch.save(weights),
    }


def load(files: dict[str, bytes], trusted_modules: Collection[str] = ()) -> NeuralNetwork:
    """Return the fitted network of these files, which predicts as the one that was saved.

    Args:
        files: the contents of `network.json` and `network.safetensors`, by name.
        trusted_modules: the dotted paths of one's own modules that may be imported. They come from whoever loads, never
            from the file.

    Raises:
        Refused: a file cannot be read, or does not fit the other, or names a module that is not trusted.
    """
    require_torch()
    architecture = document.decode(files[ARCHITECTURE], Architecture, ARCHITECTURE)
    if architecture.module is not None and architecture.module not in trusted_modules:
        raise Refused(
            f"{ARCHITECTURE} asks for the module {architecture.module}, which would run its code; "
            "name it among the trusted modules if it is yours."
        )
    estimator = _estimator(architecture)
    estimator.n_features_in_ = architecture.input_size
    network = build_network(estimator, architecture.input_size, architecture.output_size)
    _restore(network, files[WEIGHTS])
    estimator._keep(network)
    return estimator


def _architecture(estimator: NeuralNetwork) -> Architecture:
    classifier = isinstance(estimator, NeuralNetworkClassifier)
    own = {name.removeprefix(OWN): value for name, value in estimator.get_params(False).items() if name.startswith(OWN)}
    return Architecture(
        format=FORMAT,
        kind="Classifier" if classifier else "Regressor",
        input_size=estimator.n_features_in_,
        output_size=len(estimator.classes_) if classifier else 1,
        hidden_layer_sizes=tuple(np.atleast_1d(estimator.hidden_layer_sizes).astype(int).tolist()),
        activation=estimator.activation,
        dropout=float(estimator.dropout),
        module=estimator.module,
        module_parameters=own,
        classes=tuple(estimator.classes_.tolist()) if classifier else (),
        target_mean=0.0 if classifier else estimator.target_mean_,
        target_scale=1.0 if classifier else estimator.target_scale_,
    )


def _estimator(architecture: Architecture) -> NeuralNetwork:
    parameters: dict[str, Any] = {
        "hidden_layer_sizes": architecture.hidden_layer_sizes,
        "activation": architecture.activation,
        "dropout": architecture.dropout,
        "module": architecture.module,
        **{f"{OWN}{name}": value for name, value in architecture.module_parameters.items()},
    }
    if architecture.kind == "Classifier":
        classifier = NeuralNetworkClassifier(**parameters)
        classifier.classes_ = np.array(architecture.classes)
        return classifier
    regressor = NeuralNetworkRegressor(**parameters)
    regressor.target_mean_ = architecture.target_mean
    regressor.target_scale_ = architecture.target_scale
    return regressor


def _restore(network: Any, content: bytes) -> None:
    import safetensors
    import safetensors.torch

    try:
        network.load_state_dict(safetensors.torch.load(content))
    except (safetensors.SafetensorError, RuntimeError) as error:
        line = str(error).strip().splitlines()[0].rstrip(".: ")
        raise Refused(f"{WEIGHTS} does not hold the weights that {ARCHITECTURE} describes: {line}.") from error
    network.eval()
