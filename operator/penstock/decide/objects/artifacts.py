"""Which artifacts a job reads and writes: what its pod may mount, and nothing beside it."""

from collections.abc import Iterator

from penstock_jobs.contract.specification import (
    CleaningJob,
    Credentials,
    DatasetJob,
    JobSpecification,
    Location,
    LookJob,
    ServerSpec,
    SourceJob,
    SourceSpec,
    TestingJob,
    TrainingJob,
)
from penstock_jobs.contract.storage_requests import ListModels, MoveClaim, StorageRequest

Asked = JobSpecification | ServerSpec | StorageRequest
"""What a pod can be asked to do."""


def output_locations(specification: Asked) -> tuple[Location, ...]:
    """Return the locations that the job writes to."""
    match specification:
        case SourceJob():
            return (specification.run_storage,)
        case DatasetJob():
            return (specification.storage, specification.run_storage)
        case TrainingJob():
            return (specification.run_storage, specification.models)
        case TestingJob():
            return (specification.run_storage,)
        case MoveClaim():
            return (specification.location,)
        case CleaningJob():
            return tuple(_cleaning_locations(specification))
        case LookJob():
            return (specification.memory,)
    return ()


def all_locations(specification: Asked) -> tuple[Location, ...]:
    """Return all locations that the job reads or writes."""
    return tuple(_iterate_locations(specification))


def _iterate_locations(specification: Asked) -> Iterator[Location]:
    yield from output_locations(specification)
    match specification:
        case DatasetJob():
            yield from (each.location for each in specification.inputs)
        case TrainingJob():
            yield specification.storage
            yield from _archive(specification.source)
        case TestingJob():
            yield specification.storage
            if specification.models_storage is not None:
                yield specification.models_storage
            yield from _archive(specification.source)
        case LookJob():
            yield specification.input.location
        case ServerSpec() | ListModels():
            yield specification.location


def credentials(specification: Asked) -> tuple[Credentials, ...]:
    """Return the credentials that the job uses."""
    own = (specification.credentials,) if isinstance(specification, SourceJob) else ()
    return (*own, *(location.credentials for location in all_locations(specification)))


def _cleaning_locations(specification: CleaningJob) -> Iterator[Location]:
    yield from (folder.location for folder in specification.folders)
    for unmade in specification.unmade:
        yield from (unmade.models, unmade.run_storage)


def _archive(source: SourceSpec | None) -> tuple[Location, ...]:
    return () if source is None or source.archive is None else (source.archive.location,)
