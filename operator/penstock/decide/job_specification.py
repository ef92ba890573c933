"""From a Pipeline and a run to what each job is asked to do: pure functions, the same on a cluster and on a laptop."""

from dataclasses import dataclass

from penstock.api.pipeline import PipelineSpec
from penstock.api.quantities import read_duration
from penstock.api.run import JobRequest
from penstock.api.schema import JobName
from penstock.decide import rules_specification as rules
from penstock.decide.placement import Placement
from penstock.decide.settings import memory_of, processors_of, settings_of, timeout_of
from penstock_jobs.errors import Refused
from penstock_jobs.result import DatasetResult, ModelReference, TrainingResult
from penstock_jobs.specification import (
    DatasetJob,
    Location,
    Run,
    ServedModel,
    Shard,
    TestingJob,
    TrainingJob,
)


@dataclass(frozen=True)
class Execution:
    """One run of a Pipeline: its spec as the run took it (overrides laid over it), who it is, and where things are."""

    spec: PipelineSpec
    run: Run
    placement: Placement


def dataset_job(execution: Execution, request: JobRequest | None = None, shard: Shard | None = None) -> DatasetJob:
    """Return what the dataset job is asked to do.

    Args:
        execution: the run.
        request: what the run says of this job.
        shard: which part of the inputs this pod takes; all of them where it is not said.
    """
    dataset = execution.spec.dataset
    if dataset is None:
        raise Refused("The Pipeline has no spec.dataset to make tables of; add it, or leave the job dataset out.")
    settings = settings_of(execution.spec, "dataset", request)
    training = execution.spec.training
    return DatasetJob(
        run=execution.run,
        storage=execution.placement.storage,
        run_storage=execution.placement.run_storage,
        inputs=tuple(rules.read_input(each, execution.placement.inputs) for each in dataset.inputs),
        query=dataset.query,
        target=rules.target(dataset),
        task=dataset.task,
        key=dataset.key,
        weight=dataset.weight,
        split=rules.split(dataset),
        validation=rules.validation(training),
        updates=dataset.updates,
        reset_testing=request is not None and request.reset_testing,
        minimum_class_count=dataset.minimum_class_count,
        keep_versions=read_duration(execution.spec.retention.table_versions, "spec.retention.tableVersions"),
        shard=shard or Shard(),
        memory=memory_of(settings, "dataset") or execution.placement.memory,
        threads=settings.threads or processors_of(settings, "dataset") or execution.placement.processors or 1,
        timeout=timeout_of(settings, "dataset"),
    )


def training_job(
    execution: Execution, tables: DatasetResult, request: JobRequest | None = None, worker: int = 0
) -> TrainingJob:
    """Return what one worker of the training job is asked to do.

    Args:
        execution: the run.
        tables: what the dataset step reported, of this run or of the one whose tables are used again.
        request: what the run says of this job.
        worker: the index of the worker, from 0.
    """
    dataset, training = execution.spec.dataset, execution.spec.training
    if dataset is None or training is None:
        raise Refused("The Pipeline has no spec.training to train by; add it, or leave the job training out.")
    settings = settings_of(execution.spec, "training", request)
    deployment = execution.spec.deployment
    return TrainingJob(
        run=execution.run,
        storage=execution.placement.readable_storage,
        run_storage=execution.placement.run_storage,
        models=execution.placement.models,
        training=tables.training,
        validation=tables.validation,
        testing=tables.testing,
        columns=tables.columns,
        task=tables.task,
        target=rules.target(dataset),
        split=rules.split(dataset),
        validation_rule=rules.validation(training),
        scoring=rules.scoring(training.scoring),
        also_scoring=tuple(rules.scoring(each) for each in training.additional_scoring),
        algorithms=tuple(rules.algorithm(each) for each in training.algorithms),
        search=rules.search(training.search),
        features=training.features.include if training.features else (),
        exclude=training.features.exclude if training.features else (),
        preprocessing=rules.preprocessing(training.preprocessing),
        keep=training.keep,
        refit=training.refit,
        calibration=training.calibration,
        decision=rules.decision(deployment.decision if deployment else None),
        source=execution.placement.source,
        gpu=rules.gpu(settings),
        workers=settings.parallelism or 1,
        worker=worker,
        processes=settings.processes or processors_of(settings, "training") or execution.placement.processors or 1,
        threads=settings.threads or 1,
        memory=memory_of(settings, "training") or execution.placement.memory,
        trusted_types=execution.spec.models.trusted_types,
        timeout=timeout_of(settings, "training"),
    )


@dataclass(frozen=True)
class Tested:
    """What testing looks at: this run's Models, the one being served, and what came before, for the report."""

    models: tuple[ModelReference, ...]
    tables: DatasetResult
    served: ModelReference | None = None
    training: TrainingResult | None = None
    decisions_so_far: int = 0
    created: str | None = None


def testing_job(
    execution: Execution,
    tested: Tested,
    request: JobRequest | None = None,  # noqa: PT028 (it is no test)
) -> TestingJob:
    """Return what the testing job is asked to do. Without `spec.testing` it scores as training ranked."""
    dataset = execution.spec.dataset
    if dataset is None:
        raise Refused("The Pipeline has no spec.dataset to test on; add it, or leave the job testing out.")
    settings = settings_of(execution.spec, "testing", request)
    rules_of_testing = rules.testing(execution.spec)
    return TestingJob(
        run=execution.run,
        storage=execution.placement.readable_storage,
        run_storage=execution.placement.run_storage,
        models_storage=execution.placement.readable_models,
        testing=tested.tables.testing,
        training=tested.tables.training,
        validation=tested.tables.validation,
        columns=tested.tables.columns,
        task=tested.tables.task,
        target=rules.target(dataset),
        split=rules.split(dataset),
        models=tested.models,
        served=tested.served,
        scoring=rules.testing_scoring(execution.spec),
        selection=rules.selection(execution.spec),
        minimum_points=rules_of_testing.minimum_points,
        segments=rules_of_testing.segments,
        resamples=rules_of_testing.resamples,
        seed=rules_of_testing.seed,
        decisions_so_far=tested.decisions_so_far,
        source=execution.placement.source,
        gpu=rules.gpu(settings),
        threads=settings.threads or 1,
        trusted_types=execution.spec.models.trusted_types,
        dataset_result=tested.tables,
        training_result=tested.training,
        created=tested.created,
        timeout=timeout_of(settings, "testing"),
    )


def served_model(
    spec: PipelineSpec,
    model: ModelReference,
    location: Location,
    *,
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
) -> ServedModel:
    """Return what the inference server is asked to serve.

    Args:
        spec: the Pipeline that serves it. A threshold that was tuned is in the Model's own manifest.
        model: the Model.
        location: its folder, with the credentials to read it.
        name: the name that it is served under; the Model's, where it is not said.
        host: the address that the server listens on.
        port: the port that it listens on.
    """
    settings = settings_of(spec, "deployment")
    decision = rules.decision(spec.deployment.decision if spec.deployment else None)
    return ServedModel(
        location=location,
        name=name or model.name,
        manifest_digest=model.digest,
        trusted_types=spec.models.trusted_types,
        threshold=decision.threshold,
        host=host,
        port=port,
        threads=settings.threads or 1,
    )


def workers(execution: Execution, job: JobName, request: JobRequest | None = None) -> int:
    """Return over how many pods (on a laptop: processes) the job is shared out."""
    return settings_of(execution.spec, job, request).parallelism or 1
