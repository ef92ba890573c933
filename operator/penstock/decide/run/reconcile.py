"""`decide`: one PipelineRun, made right. A chain of policies, each in a file of its own; here is only their order."""

from dataclasses import replace
from datetime import datetime, timedelta

from penstock.api.decoding import CannotBeRead, Unreadable, decode
from penstock.api.run import PipelineRun
from penstock.api.schema import JobName
from penstock.decide import messages, reasons
from penstock.decide.decision import Decision
from penstock.decide.objects.children import TRIGGER_AWAITED
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed.pods import Wait
from penstock.decide.observed.results import PendingLog
from penstock.decide.run import begun_before, deploying, snapshot_and_name, termination
from penstock.decide.run.advance_step import advance_step, pending_logs_of, suspend_step
from penstock.decide.run.draft import RunDraft, to_decision
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.files import record_files
from penstock.decide.run.notifications import with_notifications
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.plan import RETEST, PlannedPart, plan, retest_part
from penstock.decide.run.rejected_writes import handle_refusal, wait_for_reading
from penstock.decide.run.retention import apply_retention
from penstock.decide.run.unseen_children import unseen_records
from penstock.decide.run_state import DONE, is_finished, mark_succeeded, status_of, step_of, with_observed_generation
from penstock.decide.status import leave_alone
from penstock_jobs.contract.errors import Refused

LONGEST_WAIT = timedelta(minutes=10)


def decide(observation: RunObservation, now: datetime) -> Decision:
    """Return what is to be done for the run now."""
    if observation.run["metadata"].get("deletionTimestamp"):
        return Decision()  # its children go with it
    run = decode(observation.run, PipelineRun)
    if isinstance(run, Unreadable):
        return leave_alone(observation.run, run, now)
    facts = RunFacts(observation, run, now)
    draft = RunDraft(run)
    if is_finished(run):
        draft = RunDraft(with_observed_generation(run))
    else:
        try:
            draft = _advance_run(facts)
        except CannotBeRead as error:
            draft = wait_for_reading(facts, draft, str(error))
        except Refused as error:
            draft = termination.fail_run(facts, draft, _current(run), reasons.REFUSED, str(error))
        if observation.refused is not None:
            draft = handle_refusal(facts, draft, observation.refused)
    draft = apply_retention(facts, draft)
    if not is_finished(draft.run) and draft.requeue_time is None:
        draft = draft.requeue_at(now + LONGEST_WAIT)  # whatever it waits for, it is looked at again
    return to_decision(run, with_notifications(facts, draft), now)


def pending_logs(observation: RunObservation) -> tuple[PendingLog, ...]:
    """Return the logs that are wanted in the observation's `whole`, and are not there yet."""
    run = decode(observation.run, PipelineRun)
    if isinstance(run, Unreadable):
        return ()
    try:
        facts = RunFacts(observation, run, datetime.max)
        return () if is_finished(facts.run) or facts.snapshot is None else pending_logs_of(facts, _parts(facts))
    except Refused:
        return ()


def _advance_run(facts: RunFacts) -> RunDraft:
    """Return the draft of a run that has not ended."""
    draft = RunDraft(facts.run, results=facts.results, images=facts.images).with_writes(*unseen_records(facts))
    if facts.run.spec.cancel:
        return termination.cancel_run(facts, draft)
    failing = termination.close_failed_run(facts, draft)
    if failing is not None:
        return failing
    late = termination.fail_if_out_of_time(facts, draft, _current(facts.run))
    if late is not None:
        return late
    return _begin_or_continue(facts, draft.requeue_at(termination.deadline(facts)))


def _begin_or_continue(facts: RunFacts, draft: RunDraft) -> RunDraft:
    """Return the draft of a run that is begun, or goes on."""
    if _awaits_its_trigger(facts):
        return draft.outcome("Unknown", reasons.SUSPENDED, messages.awaits_trigger(), facts.time)
    begun = snapshot_and_name.begin_run(facts, draft)
    if isinstance(begun, Wait):
        return _wait_to_begin(facts, draft, begun)
    snapshot = facts.snapshot
    if snapshot is None or status_of(facts.run).execution_name is None:
        # Its name is in the status before the first Job is made.
        return begun.outcome("Unknown", reasons.RUNNING, messages.begins(), facts.time).requeue_at(facts.now)
    return _advance_steps(facts, record_files(facts, begun, snapshot, _parts(facts)), snapshot)


def _awaits_its_trigger(facts: RunFacts) -> bool:
    """Return whether the run may not begin yet: what it is, it becomes at its turn."""
    return facts.run.spec.suspend and facts.snapshot is None and TRIGGER_AWAITED in facts.run.metadata.labels


def _wait_to_begin(facts: RunFacts, draft: RunDraft, wait: Wait) -> RunDraft:
    said, limit = facts.pending_limit(None, facts.snapshot)
    if facts.now >= facts.creation_time + limit:
        message = messages.pending_limit_exceeded(said, wait.message)
        return termination.fail_run(facts, draft, None, reasons.PENDING_LIMIT_EXCEEDED, message)
    draft = draft.requeue_at(min(facts.creation_time + limit, facts.now + LONGEST_WAIT))
    return draft.outcome("Unknown", wait.reason, wait.message, facts.time)


def _advance_steps(facts: RunFacts, draft: RunDraft, snapshot: Snapshot) -> RunDraft:
    """Return the draft with each part of the run as far as it has come, and the next one begun."""
    try:
        earlier = begun_before.earlier_run(draft)
        if earlier is not None:
            return begun_before.take_over(facts, draft, snapshot, earlier)  # who recorded it was killed before its end
        for part in _parts(facts):
            draft = advance_step(facts, draft, snapshot, part)
            if _is_failed(draft) or is_finished(draft.run):
                return draft
        return _with_deployment(facts, draft, snapshot)
    except CannotBeRead as error:
        return wait_for_reading(facts, draft, str(error))  # what the parts so far came to is recorded all the same


def _with_deployment(facts: RunFacts, draft: RunDraft, snapshot: Snapshot) -> RunDraft:
    """Return the draft with the deployment step as far as it has come, where the others are done."""
    if any(draft.state_of(job) not in DONE for job in ("dataset", "training", "testing")):
        return draft
    if draft.state_of("deployment") == "Skipped":
        return replace(draft, run=mark_succeeded(draft.run, facts.time))
    if facts.run.spec.suspend and _has_nothing_under_way(facts, draft):
        return suspend_step(facts, draft, "deployment")
    found = deploying.advance_deployment(facts, draft, snapshot)
    if isinstance(found, deploying.TestAgain):
        return advance_step(facts, draft, snapshot, retest_part(snapshot))
    if found.state_of("deployment") == "Succeeded":
        return replace(found, run=mark_succeeded(found.run, facts.time))
    return found


def _has_nothing_under_way(facts: RunFacts, draft: RunDraft) -> bool:
    """Return whether the deployment step has yet to begin: nothing is proposed, and nothing is tested again."""
    step = step_of(draft.run, "deployment")
    proposed = step is not None and step.reason in (reasons.PROPOSED, reasons.ROLLING_OUT)
    return not proposed and (RETEST in draft.results or not _tests_again(facts))


def _parts(facts: RunFacts) -> tuple[PlannedPart, ...]:
    snapshot = facts.snapshot
    if snapshot is None:
        return ()
    parts = plan(snapshot, snapshot_and_name.jobs_of(facts, snapshot))
    return (*parts, retest_part(snapshot)) if RETEST in facts.results or _tests_again(facts) else parts


def _tests_again(facts: RunFacts) -> bool:
    return any(job["metadata"]["labels"].get("penstock.dev/step") == RETEST for job in facts.observation.jobs)


def _is_failed(draft: RunDraft) -> bool:
    return any(step.state == "Failed" for step in status_of(draft.run).steps)


def _current(run: PipelineRun) -> JobName | None:
    """Return the step that the run is at."""
    steps = status_of(run).steps
    return next((step.name for step in steps if step.state not in DONE), None)
