"""The one way from a Model's folder to its predictions: digests first, then the file, then the rule for the class."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock_jobs.contract import document
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import ModelManifest
from penstock_jobs.contract.specification import Location
from penstock_jobs.models import files
from penstock_jobs.models.answers import Class, ModelPredictions, choose_classes
from penstock_jobs.models.block import Block
from penstock_jobs.models.inputs import columns_of_frame
from penstock_jobs.models.predictors import EstimatorPredictor, OnnxPredictor, Predictor, Raw, set_n_jobs_to_one
from penstock_jobs.storage import KeyNotFound, Store, open_store

if TYPE_CHECKING:
    import pandas as pd


class LoadedModel:
    """A saved Model, ready to predict.

    Attributes:
        manifest: what it is.
        digest: of its manifest.
        threshold: the probability of the positive class from which it is predicted; None: the most probable class.
    """

    def __init__(self, manifest: ModelManifest, digest: str, predictor: Predictor, threshold: float | None) -> None:
        """Put the parts together; `load_model` is the way to make one."""
        self.manifest = manifest
        self.digest = digest
        self.threshold = threshold
        self.predictor = predictor
        self._labels = partial(labels_from_raw, manifest.classes, manifest.positive, threshold=threshold)

    def predict(self, columns: Mapping[str, NDArray[Any]]) -> ModelPredictions:
        """Return the answer to columns as `inputs` makes them, each of shape (rows,)."""
        return self._answer(self.predictor(columns))

    def predict_block(self, block: Block) -> ModelPredictions:
        """Return the answer to rows that are in a block already, as the server has them."""
        return self._answer(self.predictor.block(block))

    def predict_frame(self, frame: "pd.DataFrame") -> ModelPredictions:
        """Return the answer to a frame that has at least the features, as a table of the Pipeline has them."""
        return self.predict(columns_of_frame(frame, self.manifest.features))

    def _answer(self, raw: Raw) -> ModelPredictions:
        """Return the answer that raw answers of the predictor mean."""
        if "value" in raw:
            return ModelPredictions(labels=np.asarray(raw["value"], dtype=np.float64))
        if "probabilities" in raw:
            probabilities = np.asarray(raw["probabilities"], dtype=np.float64)
            return ModelPredictions(labels=self._labels({"probabilities": probabilities}), probabilities=probabilities)
        return ModelPredictions(labels=self._labels(raw), decision=np.asarray(raw["decision"], dtype=np.float64))


def labels_from_raw(
    classes: Sequence[Class], positive: Class | None, raw: Raw, threshold: float | None
) -> NDArray[Any]:
    """Return the class of each row that raw answers of a classifier mean, with the type of the classes."""
    if "probabilities" in raw:
        return choose_classes(raw["probabilities"], classes, positive, threshold)
    return np.asarray(raw["label"]).astype(np.asarray(classes).dtype)


def load_model(
    location: Location,
    name: str | None = None,
    trusted_types: Iterable[str] = (),
    threads: int = 1,
    manifest_digest: str | None = None,
    threshold: float | None = None,
) -> LoadedModel:
    """Return the Model in a folder, once every digest was found to be right.

    Args:
        location: the Model's folder (the `uri` of its `ModelReference`).
        name: the name that its manifest must have; None: any.
        trusted_types: full names of types that a skops file may hold beside those known to be safe: the Pipeline's.
        threads: for one prediction.
        manifest_digest: the digest that the manifest must have; None: any.
        threshold: in place of the manifest's.

    Raises:
        Refused: in a sentence, when anything is missing, changed, or not to be trusted.
    """
    store = open_store(location)
    manifest, digest = read_manifest(store, manifest_digest)
    if name is not None and manifest.name != name:
        raise Refused(f"{store.uri} holds the Model {manifest.name}, not {name}.")
    content = _read_verified(store, manifest, manifest.serving.file)
    predictor = _predictor(manifest, content, tuple(trusted_types), threads, f"{store.uri}/{manifest.serving.file}")
    return LoadedModel(manifest, digest, predictor, _threshold(manifest, threshold))


def read_manifest(store: Store, digest: str | None = None) -> tuple[ModelManifest, str]:
    """Return the manifest in a Model's folder and its digest; refuse one that has another digest than asked for."""
    origin = f"{store.uri}/{files.MANIFEST}"
    try:
        content = store.read(files.MANIFEST)
    except KeyNotFound as error:
        raise Refused(f"There is no Model at {store.uri}: it has no {files.MANIFEST}.") from error
    found = files.digest_of(content)
    if digest is not None and found != digest:
        raise Refused(f"{origin} was changed: its digest is {found}, and {digest} was recorded.")
    return document.decode(content, ModelManifest, origin), found


def _read_verified(store: Store, manifest: ModelManifest, name: str) -> bytes:
    if name not in (files.ONNX, files.SKOPS):
        raise Refused(f"{store.uri}/{files.MANIFEST} names {name} to be served, which is no file of a Model.")
    if name not in manifest.files:
        raise Refused(f"{store.uri}/{files.MANIFEST} records no digest of {name}, so it is not loaded.")
    try:
        content = store.read(name)
    except KeyNotFound as error:
        raise Refused(f"The Model's file {store.uri}/{name} is missing.") from error
    found = files.digest_of(content)
    if found != manifest.files[name]:
        raise Refused(
            f"{store.uri}/{name} was changed: its digest is {found}, and the manifest records {manifest.files[name]}."
        )
    return content


def _predictor(
    manifest: ModelManifest, content: bytes, trusted_types: tuple[str, ...], threads: int, origin: str
) -> Predictor:
    if manifest.serving.format == "ONNX":
        return OnnxPredictor(content, manifest.features, threads)
    from penstock_jobs.models import skops_file  # scikit-learn takes 100 MiB that an ONNX Model does without

    skops_file.check_version(manifest.versions)
    estimator = set_n_jobs_to_one(skops_file.load(content, trusted_types, origin))
    return EstimatorPredictor(estimator, manifest.features, threads)


def _threshold(manifest: ModelManifest, threshold: float | None) -> float | None:
    if threshold is not None and manifest.positive is None:
        raise Refused(f"The Model {manifest.name} has no positive class, so a threshold means nothing to it.")
    return manifest.threshold if threshold is None else threshold
