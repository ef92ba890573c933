"""Over how many pods a job is shared out: on a cluster only, and without a trace in what it makes."""

import msgspec

from penstock.api.jobs import JobSettings
from penstock_jobs.specification import JobSpecification, TrainingJob


def shared_out(specification: JobSpecification, settings: JobSettings) -> JobSpecification:
    """Return the specification of all pods of a job; each of them finds its own index in its environment."""
    if isinstance(specification, TrainingJob) and settings.parallelism is not None:
        return msgspec.structs.replace(specification, workers=settings.parallelism)
    return specification
