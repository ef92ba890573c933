"""One Model on the testing set: what it answers, and by which of the points it may be judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.manifest import Lineage, ModelManifest
from penstock_jobs.contract.result import ModelReference, TableVersion
from penstock_jobs.contract.specification import Location, TestingJob
from penstock_jobs.logs import log
from penstock_jobs.models.loading import LoadedModel, load_model
from penstock_jobs.scoring import Predictions
from penstock_jobs.tables.reading import points_in
from penstock_jobs.testing.comparability import NotComparable, unseen_mask
from penstock_jobs.testing.table import TestingTable

_ROWS = 50_000


@dataclass(frozen=True)
class JudgedModel:
    """A Model with its answers to all testing points, and which of them it never saw, shape (points,)."""

    reference: ModelReference
    model: LoadedModel
    predictions: Predictions
    unseen: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The Model's name."""
        return self.reference.name

    @property
    def manifest(self) -> ModelManifest:
        """What the Model is."""
        return self.model.manifest


def judge(job: TestingJob, reference: ModelReference, testing: TestingTable) -> JudgedModel:
    """Load a Model as the server does, and ask it about every testing point.

    Raises:
        Refused: it cannot be loaded, or the table has not the columns that it needs.
        NotComparable: its points have other identities than those of this testing set, or it predicts something else.
    """
    model = open_model(job, reference)
    manifest = model.manifest
    if (manifest.task, manifest.target) != (job.task, job.target.column):
        raise NotComparable(f"It predicts {manifest.target} ({manifest.task}), not {job.target.column} ({job.task}).")
    mask = unseen_mask(
        testing.origin, manifest.lineage, lambda: points_read(job, manifest.lineage, testing.origin.points)
    )
    return JudgedModel(reference, model, predict(model, testing.frame), mask)


def open_model(job: TestingJob, reference: ModelReference) -> LoadedModel:
    """Return the Model as the server loads it, by the digest that was recorded."""
    place = job.models_storage or job.storage
    location = Location(uri=reference.uri, endpoint=place.endpoint, region=place.region, credentials=place.credentials)
    return load_model(
        location,
        trusted_types=job.trusted_types,
        threads=job.threads,
        manifest_digest=reference.digest or None,
    )


def predict(model: LoadedModel, frame: pd.DataFrame) -> Predictions:
    """Return the Model's answers to the rows, made a stretch at a time so that memory stays bounded."""
    parts = [model.predict_frame(frame.iloc[start : start + _ROWS]) for start in range(0, max(len(frame), 1), _ROWS)]
    return Predictions(
        labels=np.concatenate([part.labels for part in parts]),
        probabilities=_concatenate([part.probabilities for part in parts]),
        decision=_decision(parts[0].decision, [part.decision for part in parts]),
    )


def points_read(job: TestingJob, lineage: Lineage, points: Sequence[int]) -> frozenset[int] | None:
    """Return which of the points are in the tables that a Model read, or None where those can no longer be read."""
    training = TableVersion(
        uri=lineage.training_uri, version=lineage.training_version, rows=0, digest=lineage.training_digest
    )
    validation = TableVersion(
        uri=lineage.validation_uri, version=lineage.validation_version, rows=0, digest=lineage.validation_digest
    )
    return _points_in_tables(job, (training, validation), points)


def points_tested(job: TestingJob, lineage: Lineage, points: Sequence[int]) -> frozenset[int] | None:
    """Return which of the points a Model's own testing table had, or None where that can no longer be read."""
    testing = TableVersion(uri=lineage.testing_uri, version=lineage.testing_version, rows=0, digest="")
    return _points_in_tables(job, (testing,), points)


def _points_in_tables(job: TestingJob, tables: Sequence[TableVersion], points: Sequence[int]) -> frozenset[int] | None:
    try:
        return frozenset().union(*(points_in(table, job.storage, points) for table in tables))
    except Refused as error:
        log.info("A table of an older Model can no longer be read: %s", error)
        return None


def _concatenate(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    whole = [part for part in parts if part is not None]
    return np.concatenate(whole) if whole else None


def _decision(first: NDArray[np.float64] | None, parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the decision function, or None where the Model has none: its file then answers NaN.

    Of two classes an ONNX file has a column for each, scikit-learn one number, which is that of the second class.
    """
    if first is None or np.isnan(first).all():
        return None
    joined = _concatenate(parts)
    return joined[:, -1] if joined is not None and joined.ndim == 2 and joined.shape[1] <= 2 else joined
