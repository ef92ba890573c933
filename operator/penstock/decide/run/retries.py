"""When a job that failed for no fault of its own is tried again: after a wait, each twice as long as the one before.

The Job controller has waits of its own (10 s, doubled), and nobody can set them. So a Job of one pod is one try, and
the next is a Job of another name. What is shared out over several pods is one Job, whose pods that controller replaces
in its own time, index by index: meanwhile the others take over the work.
"""

from datetime import datetime, timedelta

from penstock.api.jobs import job_field
from penstock.api.quantities import read_duration
from penstock.decide import messages, reasons
from penstock.decide.backoff import wait_before
from penstock.decide.job_specification import retries_of
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed.pods import Wait
from penstock.decide.run.create_job import settings_of_part
from penstock.decide.run.outcome import Failed, ObservedPart
from penstock.decide.run.plan import PlannedPart, job_with_fields
from penstock.decide.times import write_time


def next_try(
    snapshot: Snapshot, part: PlannedPart, observed: ObservedPart, failed: Failed
) -> tuple[datetime, Wait] | None:
    """Return when the part is tried again, and what is said until then; None where it has failed for good."""
    if not failed.may_pass:
        return None
    retries = retries_of(settings_of_part(snapshot, part))
    tries = count_failed_tries(observed)
    if tries > retries.limit:
        return None
    first = read_duration(retries.backoff, job_field(job_with_fields(part.name) or part.step, "retries.backoff"))
    at = failed.since + timedelta(seconds=wait_before(tries, first))
    said = messages.next_try_message(tries + 1, retries.limit + 1, write_time(at), failed.message)
    return at, Wait(reasons.RETRYING, said)


def count_failed_tries(observed: ObservedPart) -> int:
    """Return how many Jobs of the part have failed."""
    return sum(job_views.is_failed(job) for job in observed.jobs)
