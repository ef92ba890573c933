"""How a run ends otherwise than well: cancelled, or failed. It has ended when nothing of it runs any more."""

from dataclasses import replace
from datetime import datetime, timedelta

from penstock.api.quantities import read_duration
from penstock.api.run import StepState
from penstock.api.schema import JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject, Create, Delete, Write
from penstock.decide.observed import jobs as job_views
from penstock.decide.observed.pods import LONGEST_ENDING, is_lost
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.outcome import live_pods
from penstock.decide.run.unseen_children import unseen_jobs
from penstock.decide.run_state import status_of
from penstock.decide.times import read_time

_OPEN = ("Pending", "Waiting", "Running")


def fail_run(facts: RunFacts, draft: RunDraft, step: JobName | None, reason: str, message: str) -> RunDraft:
    """Return the draft in which the step, and with it the run, has failed.

    The step says so first, and the run's other Jobs are ended after that: a cause that cannot be seen any more once its
    Job is gone is in the status by then.
    """
    if step is not None:
        draft = draft.step(step, "Failed", reason, message, completion_time=facts.time)
        message = messages.step_failed(step, message)
    return _close(facts, draft, reason, message, "Skipped")


def close_failed_run(facts: RunFacts, draft: RunDraft) -> RunDraft | None:
    """Return the draft that ends what is left of a run of which a step has failed before; None for any other run."""
    step = next((each for each in status_of(draft.run).steps if each.state == "Failed"), None)
    if step is None:
        return None
    message = messages.step_failed(step.name, step.message or "")
    return _close(facts, draft.with_writes(*deletions(facts)), step.reason or reasons.FAILED, message, "Skipped")


def deadline(facts: RunFacts) -> datetime | None:
    """Return when the run has taken all the time that it may; None where nobody said, or it has not begun."""
    said, started = facts.run.spec.timeout, status_of(facts.run).start_time
    if said is None or started is None:
        return None
    return read_time(started) + timedelta(seconds=read_duration(said, "spec.timeout"))


def fail_if_out_of_time(facts: RunFacts, draft: RunDraft, step: JobName | None) -> RunDraft | None:
    """Return the draft of a run that has taken longer than it may, which ends it at that step; None for any other."""
    until = deadline(facts)
    if until is None or facts.now < until:
        return None
    return fail_run(facts, draft, step, reasons.TIMED_OUT, messages.run_timed_out(facts.run.spec.timeout or ""))


def cancel_run(facts: RunFacts, draft: RunDraft) -> RunDraft:
    """Return the draft of a run that a person has cancelled."""
    draft = draft.with_writes(*deletions(facts))
    return _close(facts, draft, reasons.CANCELLED, messages.cancellation_message(), "Cancelled")


def live_objects(facts: RunFacts) -> tuple[ApiObject, ...]:
    """Return the Jobs and pods of which something runs, or may run yet."""
    jobs = tuple(job for job in facts.observation.jobs if not job_views.is_over(job))
    return jobs + tuple(pod for pod in live_pods(facts.observation.pods) if not is_lost(pod, facts.now))


def _begins(write: Write) -> bool:
    return isinstance(write, Create) and write.object["kind"] == "Job"


def deletions(facts: RunFacts) -> tuple[Delete, ...]:
    """Return what ends the Jobs of which something runs, or may run yet."""
    return tuple(
        job_views.deletion(job)
        for job in facts.observation.jobs
        if not job_views.is_over(job) and not job_views.is_going(job)
    )


def _close(facts: RunFacts, draft: RunDraft, reason: str, message: str, others: StepState) -> RunDraft:
    # One part may have been about to begin when another one failed.
    draft = replace(draft, writes=tuple(each for each in draft.writes if not _begins(each)))
    still = live_objects(facts)
    if still:
        draft = draft.requeue_at(facts.now + LONGEST_ENDING)
        return draft.outcome("Unknown", reason, f"{message} {messages.still_ending(len(still))}", facts.time)
    draft = draft.with_writes(*unseen_jobs(facts))
    for step in status_of(draft.run).steps:
        if step.state in _OPEN:
            begun = step.state != "Pending"
            draft = draft.step(step.name, others if begun or others == "Cancelled" else "Skipped", reason)
    return draft.outcome("False", reason, message, facts.time)
