"""Where a Model comes from: the candidate, and how the points were split when it was trained."""

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np

from penstock_jobs.contract.manifest import Lineage, Origin
from penstock_jobs.contract.reading import InputReading
from penstock_jobs.contract.specification import TrainingJob
from penstock_jobs.dataset import schema
from penstock_jobs.dataset.encoding import HASHING
from penstock_jobs.reading.model_rules import reading_for_model
from penstock_jobs.storage import open_store
from penstock_jobs.training.candidates import Candidate
from penstock_jobs.training.data import TrainingData


def origin_of(candidate: Candidate, job: TrainingJob, parameters: dict[str, Any]) -> Origin:
    """Return which candidate of which run the Model is."""
    return Origin(
        pipeline=job.run.pipeline,
        run_uid=job.run.uid,
        execution_name=job.run.execution_name,
        candidate=candidate.identity,
        algorithm=candidate.algorithm,
        estimator=candidate.estimator,
        parameters=parameters,
        seed=candidate.seed,
        commit=job.source.commit if job.source else None,
        refit=job.refit,
    )


def lineage_of(job: TrainingJob, data: TrainingData) -> Lineage:
    """Return what tells, of any point, whether the Model may have seen it."""
    return Lineage(
        storage=job.storage.uri,
        strategy=job.split.strategy,
        key=tuple(column.name for column in job.columns if column.role == "Key"),
        salt=job.split.salt,
        epoch=epoch_of(job.testing.uri),
        testing_share=job.split.testing,
        generation=job.generation,
        training_uri=job.training.uri,
        training_version=job.training.version,
        training_digest=job.training.digest,
        validation_uri=job.validation.uri,
        validation_version=job.validation.version,
        validation_digest=job.validation.digest,
        testing_uri=job.testing.uri,
        testing_version=job.testing.version,
        group=job.split.group_columns,
        identity=job.identity,
        trained_until=_end(data),
        hashing=HASHING,
    )


def reading_of(job: TrainingJob, data: TrainingData) -> InputReading | None:
    """Return how the rows of the tables were read, which rows for the Model will be read by as well."""
    recorded = schema.load(open_store(job.storage), epoch_of(job.testing.uri))
    return None if recorded is None else reading_for_model(recorded.readings, data.features)


def epoch_of(uri: str) -> int:
    """Return the epoch of a testing table, which is the end of its address: `…/testing/epoch-3`."""
    found = re.search(r"epoch-(\d+)/?$", uri)
    return int(found[1]) if found else 0


def _end(data: TrainingData) -> str | None:
    """Return the first microsecond after all moments in training and validation."""
    if data.time is None:
        return None
    last = round(float(np.max(data.time)) * 1_000_000) + 1
    seconds, microseconds = divmod(last, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds).isoformat()
