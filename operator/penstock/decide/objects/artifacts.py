"""Which artifacts a job reads and writes: what its pod may mount, and nothing beside it."""

from collections.abc import Iterator

from penstock_jobs.errands import Errand, ListModels, MoveClaim
from penstock_jobs.specification import (
    CleaningJob,
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

Asked = JobSpecification | ServedModel | Errand
"""What a pod can be asked to do."""


def written(specification: Asked) -> tuple[Location, ...]:
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
            return tuple(_cleaned(specification))
    return ()


def touched(specification: Asked) -> tuple[Location, ...]:
    """Return all locations that the job reads or writes."""
    return tuple(_touched(specification))


def _touched(specification: Asked) -> Iterator[Location]:
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
        case ServedModel() | ListModels():
            yield specification.location


def credentials(specification: Asked) -> tuple[Credentials, ...]:
    """Return the credentials that the job uses."""
    own = (specification.credentials,) if isinstance(specification, SourceJob) else ()
    return (*own, *(location.credentials for location in touched(specification)))


def _cleaned(specification: CleaningJob) -> Iterator[Location]:
    yield from (folder.location for folder in specification.folders)
    for unmade in specification.unmade:
        yield from (unmade.models, unmade.run_storage)


def _archive(source: Source | None) -> tuple[Location, ...]:
    return () if source is None or source.archive is None else (source.archive.location,)
