"""When a part is tried again, how often, and with how much memory: after a wait, each twice as long as the one before.

The Job controller has waits of its own (10 s, doubled), and nobody can set them. So a Job of one pod is one try, and
the next is a Job of another name. What is shared out over several pods is one Job, whose pods that controller replaces
in its own time, index by index: meanwhile the others take over the work.

Tries are counted in the status of the run, and where that is lost on the last Job; never by the Jobs that are there,
which a cleaner may delete. A Job that is deleted, or whose pod is before its container begins, is no try; so that it is
not made again without end, it is made a few times, each after a longer wait.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from penstock.api.jobs import Retries, job_field
from penstock.api.quantities import read_duration
from penstock.api.run import PipelineRun, StepTries
from penstock.decide import messages, reasons
from penstock.decide.backoff import wait_before
from penstock.decide.job_specification import retries_of
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed.pods import Wait
from penstock.decide.run.create_job import settings_of_part
from penstock.decide.run.more_memory import memory_limit, next_memory
from penstock.decide.run.outcome import Failed, ObservedPart
from penstock.decide.run.plan import PlannedPart, job_with_fields
from penstock.decide.run_state import step_of
from penstock.decide.times import read_time, write_time

MOST_INTERRUPTIONS = 10
BETWEEN_INTERRUPTIONS = 10.0  # seconds, at first


@dataclass(frozen=True)
class GivenUp:
    """Why a part is not tried again: one word, and a sentence."""

    reason: str
    message: str


def known_tries(run: PipelineRun, part: PlannedPart, observed: ObservedPart) -> StepTries:
    """Return how often the part was tried: as the status says, or the last Job where that knows more."""
    step = step_of(run, part.step)
    recorded = step.tries if step is not None else None
    if recorded is None or recorded.part != part.name:
        recorded = StepTries(part=part.name)
    job = observed.current
    if job is None or job_views.attempt_of(job) < recorded.number:
        return recorded
    before = job_views.failed_tries_of(job)
    if before is None:  # a version of the operator made it that did not write it there
        before = sum(job_views.is_failed(each) for each in observed.jobs if each is not job)
    made = recorded.start_time if recorded.number == job_views.attempt_of(job) else None
    return msgspec.structs.replace(
        recorded,
        number=job_views.attempt_of(job),
        failed=max(recorded.failed, before),
        memory=job_views.memory_of(job),
        start_time=made or write_time(job_views.creation_time(job)),
        not_before=None,
    )


def tries_after_failure(snapshot: Snapshot, part: PlannedPart, tries: StepTries, failed: Failed) -> StepTries | GivenUp:
    """Return the tries with the one that comes after a failure, or why none does."""
    if tries.number > failed.attempt:  # it is counted already
        return tries if tries.start_time is None else tries_after_deletion(tries)
    if not failed.may_pass:
        return GivenUp(failed.reason, failed.message)
    if failed.interrupted:
        return _after_interruption(_following(tries), failed.since, failed.message)
    retries = _retries(snapshot, part)
    count = tries.failed + 1
    if count > retries.limit:
        return GivenUp(failed.reason, failed.message)
    memory = tries.memory
    had = memory_limit(settings_of_part(snapshot, part)) if memory is None else str(memory)
    if failed.reason == reasons.OUT_OF_MEMORY and retries.memory is not None and had is not None:
        memory = next_memory(retries.memory, had)
        if memory is None:
            return GivenUp(failed.reason, messages.out_of_most_memory(had, _field(part, "retries.memory.limit")))
    first = read_duration(retries.backoff, _field(part, "retries.backoff"))
    at = failed.since + timedelta(seconds=wait_before(count, first))
    following = msgspec.structs.replace(_following(tries), failed=count, memory=memory)
    return _not_before(following, at)


def tries_after_deletion(tries: StepTries) -> StepTries | GivenUp:
    """Return the tries after somebody deleted the Job. Another one of its name takes its place.

    Should it be there all the same, as when only its labels were taken off, the API server refuses a second one.
    """
    if tries.start_time is None:
        return tries
    made_again = msgspec.structs.replace(tries, start_time=None)
    return _after_interruption(made_again, read_time(tries.start_time), messages.job_deleted())


def tries_after_lost_result(tries: StepTries) -> StepTries:
    """Return the tries with the one that finds the result again in storage."""
    return msgspec.structs.replace(_following(tries), lost=tries.lost + 1)


def wait_of(snapshot: Snapshot, part: PlannedPart, tries: StepTries, why: str, had: str | None = None) -> Wait:
    """Return what is said of the next try until it begins; `had` is the memory of the one before."""
    at = tries.not_before or ""
    more = (had, str(tries.memory)) if had is not None and tries.memory not in (None, had) else None
    number, most = tries.failed + 1, _retries(snapshot, part).limit + 1
    return Wait(reasons.RETRYING, messages.next_try_message(number, most, at, why, more))


def memory_of_last(snapshot: Snapshot, part: PlannedPart, observed: ObservedPart) -> str | None:
    """Return how much memory the last Job of the part had."""
    raised = None if observed.current is None else job_views.memory_of(observed.current)
    return raised or memory_limit(settings_of_part(snapshot, part))


def _following(tries: StepTries) -> StepTries:
    """Return the tries with one more, which is of another name than that before it."""
    return msgspec.structs.replace(tries, number=tries.number + 1, start_time=None)


def _after_interruption(tries: StepTries, since: datetime, why: str) -> StepTries | GivenUp:
    count = tries.interrupted + 1
    if count > MOST_INTERRUPTIONS:
        return GivenUp(reasons.TAKEN_AWAY, messages.taken_away(count, why))
    wait = timedelta(seconds=wait_before(count, BETWEEN_INTERRUPTIONS))
    return _not_before(msgspec.structs.replace(tries, interrupted=count), since + wait)


def _not_before(tries: StepTries, moment: datetime) -> StepTries:
    return msgspec.structs.replace(tries, not_before=write_time(moment))


def _retries(snapshot: Snapshot, part: PlannedPart) -> Retries:
    return retries_of(settings_of_part(snapshot, part))


def _field(part: PlannedPart, name: str) -> str:
    return job_field(job_with_fields(part.name) or part.step, name)
