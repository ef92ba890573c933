"""Which share of the work is this pod's, where a job is shared out over several."""

from collections.abc import Mapping

import msgspec

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import DatasetJob, JobSpecification, TrainingJob

VARIABLE = "JOB_COMPLETION_INDEX"  # what Kubernetes tells each pod of an Indexed Job


def specification_of_this_pod(specification: JobSpecification, environment: Mapping[str, str]) -> JobSpecification:
    """Return the specification of this pod: all pods of a Job read the same one, and each has its index besides."""
    index = environment.get(VARIABLE)
    if index is None:
        return specification
    if not index.isdecimal():
        raise Refused(f"{VARIABLE} is {index!r}, which is no index; it is set by an Indexed Job alone.")
    match specification:
        case TrainingJob(workers=workers) if workers > 1:
            return msgspec.structs.replace(specification, worker=_require_below(int(index), workers))
        case DatasetJob(shard=shard) if shard.is_part:
            mine = msgspec.structs.replace(shard, index=_require_below(int(index), shard.count))
            return msgspec.structs.replace(specification, shard=mine)
    return specification


def name_of_this_pod(name: str, environment: Mapping[str, str]) -> str:
    """Return the name of what each of several pods has for itself: with its index, where it is one of several."""
    index = environment.get(VARIABLE)
    return name if index is None else f"{name}-{index}"


def _require_below(index: int, count: int) -> int:
    if index >= count:
        raise Refused(f"{VARIABLE} is {index}, and the work is shared out over {count} pods, counted from 0.")
    return index
