"""Views of a Job, as the API server has it. What became of it is told by its conditions, never by its counters."""

from datetime import datetime
from typing import Any

from penstock.decide.decision import ApiObject, Delete
from penstock.decide.objects.children import ATTEMPT, FAILED_TRIES, MEMORY, STEP
from penstock.decide.objects.job import QUEUE
from penstock.decide.times import read_time


def uid(job: ApiObject) -> str:
    """Return the uid."""
    return str(job["metadata"]["uid"])


def name(job: ApiObject) -> str:
    """Return the name."""
    return str(job["metadata"]["name"])


def part_of(job: ApiObject) -> str:
    """Return which part of the run the Job does."""
    return str(_labels(job).get(STEP, ""))


def attempt_of(job: ApiObject) -> int:
    """Return which attempt at the part it is, from 1."""
    said = _labels(job).get(ATTEMPT, "1")
    return int(said) if said.isdigit() else 1


def failed_tries_of(job: ApiObject) -> int | None:
    """Return how many tries at the part had failed before it, as it says itself; None where it does not."""
    said = _labels(job).get(FAILED_TRIES, "0" if attempt_of(job) == 1 else "")
    return int(said) if said.isdigit() else None


def memory_of(job: ApiObject) -> str | None:
    """Return how much memory it has, where that is more than the first try had."""
    said = _labels(job).get(MEMORY)
    return None if said is None else str(said)


def creation_time(job: ApiObject) -> datetime:
    """Return when it was made."""
    return read_time(job["metadata"]["creationTimestamp"])


def is_complete(job: ApiObject) -> bool:
    """Return whether all its pods have succeeded, in its own words."""
    return _holds(job, "Complete")


def is_failed(job: ApiObject) -> bool:
    """Return whether it has failed, for good, and none of its pods is left running."""
    return _holds(job, "Failed")


def is_failing(job: ApiObject) -> bool:
    """Return whether it will have failed once none of its pods is left."""
    return _holds(job, "FailureTarget")


def is_over(job: ApiObject) -> bool:
    """Return whether it starts no pod any more."""
    return is_complete(job) or is_failed(job)


def is_going(job: ApiObject) -> bool:
    """Return whether it is being deleted."""
    return job["metadata"].get("deletionTimestamp") is not None


def is_suspended(job: ApiObject) -> bool:
    """Return whether it is held, by a queue or by a person."""
    return bool((job.get("spec") or {}).get("suspend"))


def suspension_time(job: ApiObject) -> datetime:
    """Return since when it is held: its creation, or when it was last held again."""
    condition = _condition(job, "Suspended") or {}
    return _later(job, condition.get("lastTransitionTime") if condition.get("status") == "True" else None)


def waiting_since(job: ApiObject) -> datetime:
    """Return since when it may have pods: its creation, or when it was last let go."""
    return _later(job, (job.get("status") or {}).get("startTime"))


def queue_of(job: ApiObject) -> str | None:
    """Return the queue that it waits in, where there is one."""
    queue = _labels(job).get(QUEUE)
    return None if queue is None else str(queue)


def failure_of(job: ApiObject) -> tuple[str, str]:
    """Return the reason and the message of a failed Job, in its own words."""
    condition = _condition(job, "Failed") or _condition(job, "FailureTarget") or {}
    return str(condition.get("reason") or "Failed"), str(condition.get("message") or "")


def failure_time(job: ApiObject) -> datetime:
    """Return since when it has failed."""
    condition = _condition(job, "Failed") or _condition(job, "FailureTarget") or {}
    return _later(job, condition.get("lastTransitionTime"))


def is_one_try(job: ApiObject) -> bool:
    """Return whether it fails with the first pod that does, so that a further try is another Job."""
    return (job.get("spec") or {}).get("backoffLimit") == 0


def deletion(job: ApiObject) -> Delete:
    """Return the write that takes it away, with its pods."""
    return Delete.of(job)


def _later(job: ApiObject, text: Any) -> datetime:
    return max(creation_time(job), read_time(str(text))) if text else creation_time(job)


def _labels(job: ApiObject) -> dict[str, Any]:
    return job["metadata"].get("labels") or {}


def _holds(job: ApiObject, kind: str) -> bool:
    condition = _condition(job, kind)
    return condition is not None and condition.get("status") == "True"


def _condition(job: ApiObject, kind: str) -> dict[str, Any] | None:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == kind), None)
