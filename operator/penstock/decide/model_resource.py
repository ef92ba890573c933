"""The Model of a saved model: its spec, from the manifest in its folder; its testing scores, as they come."""

from typing import Literal

import msgspec

from penstock.api.credentials import SecretReference
from penstock.api.metadata import ObjectMeta
from penstock.api.model import (
    Feature,
    LineageTable,
    Model,
    ModelLineage,
    ModelOrigin,
    ModelParameter,
    ModelServing,
    ModelSpec,
    ModelStatus,
    ModelTarget,
    OriginPipeline,
    OriginRun,
    TestingScores,
)
from penstock.api.schema import API_VERSION
from penstock.api.values import write_value
from penstock.decide.summaries import address, scores, validation_scores
from penstock_jobs.contract.manifest import Lineage, ModelManifest, Origin
from penstock_jobs.contract.result import ModelReference, TestingResult

LONGEST_VALUE = 1024
SCORES = 10  # as many as a status has room for
TESTED = 8  # testing versions whose scores a status keeps


def model_resource(
    reference: ModelReference,
    manifest: ModelManifest,
    *,
    run: str | None,
    pipeline_uid: str | None,
    endpoint: str | None = None,
    region: str | None = None,
    credentials: SecretReference | None = None,
    deletion_policy: Literal["Retain", "Delete"] = "Retain",
    image: str | None = None,
) -> Model:
    """Return the Model of a saved model; a function of its files alone, but for where they are reached.

    `image` is one that has the libraries that it was trained with; a Model in ONNX needs none of them.
    """
    return Model(
        api_version=API_VERSION,
        kind="Model",
        metadata=ObjectMeta(name=reference.name, labels={"penstock.dev/pipeline": manifest.origin.pipeline}),
        spec=ModelSpec(
            uri=reference.uri,
            digest=reference.digest,
            endpoint=endpoint,
            region=region,
            credentials=credentials,
            task=manifest.task,
            target=_target(manifest),
            features=tuple(
                Feature(name=each.name, type=each.type, nullable=each.nullable) for each in manifest.features
            ),
            serving=ModelServing(
                format="ONNX" if manifest.serving.format == "ONNX" else "Skops",
                file=manifest.serving.file,
                reason=manifest.serving.reason[:1024],
                image=None if manifest.serving.format == "ONNX" else image,
            ),
            origin=_origin(manifest.origin, run, pipeline_uid),
            lineage=_lineage(manifest.lineage),
            validation_scores=validation_scores(manifest.validation[:17]),
            creation_time=manifest.created,
            deletion_policy=deletion_policy,
        ),
    )


def with_testing_scores(model: Model, result: TestingResult) -> Model:
    """Return the Model with its scores of this testing, in place of earlier ones on the same version."""
    found = next((each for each in result.models if each.model == model.metadata.name), None)
    if found is None:
        return model
    new = TestingScores(
        epoch=result.epoch,
        version=result.testing_version,
        digest=result.digest,
        points=found.points,
        scores=scores(found.scores[:SCORES]),
        report=address(result.report),
    )
    status = model.status or ModelStatus()
    others = tuple(each for each in status.testing if (each.epoch, each.version) != (new.epoch, new.version))
    changed = msgspec.structs.replace(status, testing=(new, *others)[:TESTED])
    return msgspec.structs.replace(model, status=changed)


def reference_to(model: Model) -> ModelReference:
    """Return how a job is told of a Model that is there already."""
    return ModelReference(
        name=model.metadata.name or "",
        uri=model.spec.uri,
        digest=model.spec.digest,
        candidate=model.spec.origin.candidate,
        algorithm=model.spec.origin.algorithm,
    )


def _target(manifest: ModelManifest) -> ModelTarget:
    return ModelTarget(
        column=manifest.target,
        type=manifest.target_type,
        classes=tuple(str(each) for each in manifest.classes),
        positive=None if manifest.positive is None else str(manifest.positive),
        threshold=None if manifest.threshold is None else f"{manifest.threshold:.15f}".rstrip("0").rstrip("."),
    )


def _origin(origin: Origin, run: str | None, pipeline_uid: str | None) -> ModelOrigin:
    return ModelOrigin(
        pipeline_ref=OriginPipeline(name=origin.pipeline, uid=pipeline_uid),
        run_ref=OriginRun(name=run, uid=origin.run_uid),
        execution_name=origin.execution_name,
        candidate=origin.candidate,
        algorithm=origin.algorithm,
        estimator=origin.estimator,
        parameters=tuple(
            ModelParameter(name=name, value=write_value(value)[:LONGEST_VALUE])
            for name, value in origin.parameters.items()
        ),
        seed=origin.seed,
        commit=origin.commit,
        refit=origin.refit,
    )


def _lineage(lineage: Lineage) -> ModelLineage:
    return ModelLineage(
        storage=lineage.storage,
        strategy=lineage.strategy,
        key=lineage.key,
        group=lineage.group,
        salt=lineage.salt,
        epoch=lineage.epoch,
        generation=lineage.generation,
        testing_share=f"{lineage.testing_share:.15f}".rstrip("0").rstrip(".") or "0",
        trained_until=lineage.trained_until,
        training=LineageTable(
            uri=lineage.training_uri, version=lineage.training_version, digest=lineage.training_digest
        ),
        validation=LineageTable(
            uri=lineage.validation_uri, version=lineage.validation_version, digest=lineage.validation_digest
        ),
        testing=LineageTable(uri=lineage.testing_uri, version=lineage.testing_version),
    )
