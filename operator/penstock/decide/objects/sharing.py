"""Over how many pods a job is shared out: on a cluster only, and without a trace in what it makes."""

import msgspec

from penstock.api.jobs import JobSettings
from penstock_jobs.contract.specification import DatasetJob, JobSpecification, Shard, TrainingJob


def share_out(specification: JobSpecification, settings: JobSettings) -> JobSpecification:
    """Return the specification of all pods of a job; each of them finds its own index in its environment.

    Candidates are shared out, and the files of an input. With a query, or several inputs, one pod reads.
    """
    pods = settings.parallelism or 1
    match specification:
        case TrainingJob():
            return msgspec.structs.replace(specification, workers=pods)
        case DatasetJob(inputs=(_,), query=None) if pods > 1:
            return msgspec.structs.replace(specification, shard=Shard(index=0, count=pods))
    return specification
