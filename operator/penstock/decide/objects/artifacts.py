"""Which artifacts a job reads and writes: what its pod may mount, and nothing beside it."""

from collections.abc import Iterator

from penstock_jobs.specification import (
    Credentials,
    DatasetJob,
    JobSpecification,
    Location,
    ServedModel,
    Source,
    SourceJob,
    TestingJob,
    TrainingJob,
)


def written(specification: JobSpecification | ServedModel) -> tuple[Location, ...]:
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
    return ()


def touched(specification: JobSpecification | ServedModel) -> tuple[Location, ...]:
    """Return all locations that the job reads or writes."""
    return tuple(_touched(specification))


def _touched(specification: JobSpecification | ServedModel) -> Iterator[Location]:
    yield from written(specification)
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
        case ServedModel():
            yield specification.location


def credentials(specification: JobSpecification | ServedModel) -> tuple[Credentials, ...]:
    """Return the credentials that the job uses."""
    own = (specification.credentials,) if isinstance(specification, SourceJob) else ()
    return (*own, *(location.credentials for location in touched(specification)))


def _archive(source: Source | None) -> tuple[Location, ...]:
    return () if source is None or source.archive is None else (source.archive.location,)
