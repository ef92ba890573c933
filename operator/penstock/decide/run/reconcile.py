"""`decide`: one PipelineRun, made right. A chain of policies, each in a file of its own; here is only their order."""

from dataclasses import replace
from datetime import datetime

from penstock.api.decoding import CannotBeRead, Unreadable, decode
from penstock.api.run import PipelineRun
from penstock.api.schema import JobName
from penstock.decide import reasons
from penstock.decide.decision import Decision
from penstock.decide.objects.revision import Snapshot
from penstock.decide.run import beginning, deploying, ending
from penstock.decide.run.draft import Draft
from penstock.decide.run.facts import Facts
from penstock.decide.run.files import recorded_files
from penstock.decide.run.keeping import kept
from penstock.decide.run.observation import RunObservation
from penstock.decide.run.plan import AGAIN, Planned, again, plan
from penstock.decide.run.pods import Wait
from penstock.decide.run.progress import awaited_of, progressed, suspended
from penstock.decide.run.refusing import refused, wait_for_reading
from penstock.decide.run.telling import told
from penstock.decide.run.told import Awaited
from penstock.decide.run_state import ended_well, is_finished, seen, status_of, step_of
from penstock.decide.status import leave_alone
from penstock_jobs.errors import Refused


def decide(observation: RunObservation, now: datetime) -> Decision:
    """Return what is to be done for the run now."""
    if observation.run["metadata"].get("deletionTimestamp"):
        return Decision()  # its children go with it
    run = decode(observation.run, PipelineRun)
    if isinstance(run, Unreadable):
        return leave_alone(observation.run, run, now)
    facts = Facts(observation, run, now)
    draft = Draft(run)
    if is_finished(run):
        draft = Draft(seen(run))
    else:
        try:
            draft = _gone_on(facts)
        except CannotBeRead as error:
            draft = wait_for_reading(facts, draft, str(error))
        except Refused as error:
            draft = ending.failed(facts, draft, _current(run), reasons.REFUSED, str(error))
        if observation.refused is not None:
            draft = refused(facts, draft, observation.refused)
    return told(run, kept(facts, draft), now)


def awaited(observation: RunObservation) -> tuple[Awaited, ...]:
    """Return the logs that are wanted in the observation's `whole`, and are not there yet."""
    run = decode(observation.run, PipelineRun)
    if isinstance(run, Unreadable):
        return ()
    try:
        facts = Facts(observation, run, datetime.max)
        return () if is_finished(facts.run) or facts.snapshot is None else awaited_of(facts, _parts(facts))
    except Refused:
        return ()


def _gone_on(facts: Facts) -> Draft:
    """Return the draft of a run that has not ended."""
    draft = Draft(facts.run, reported=facts.reported, images=facts.images)
    if facts.run.spec.cancel:
        return ending.cancelled(facts, draft)
    failing = ending.already_failed(facts, draft)
    if failing is not None:
        return failing
    late = ending.out_of_time(facts, draft, _current(facts.run))
    if late is not None:
        return late
    return _begun(facts, draft.looking_at(ending.deadline(facts)))


def _begun(facts: Facts, draft: Draft) -> Draft:
    """Return the draft of a run that is begun, or goes on."""
    begun = beginning.begun(facts, draft)
    if isinstance(begun, Wait):
        return _not_begun(facts, draft, begun)
    snapshot = facts.snapshot
    if snapshot is None or status_of(facts.run).execution_name is None:
        # Its name is in the status before the first Job is made.
        return begun.outcome("Unknown", reasons.RUNNING, reasons.begins(), facts.time).looking_at(facts.now)
    return _stepped(facts, recorded_files(facts, begun, snapshot, _parts(facts)), snapshot)


def _not_begun(facts: Facts, draft: Draft, wait: Wait) -> Draft:
    said, limit = facts.pending_limit(None, facts.snapshot)
    if facts.now >= facts.created + limit:
        message = reasons.pending_limit_exceeded(said, wait.message)
        return ending.failed(facts, draft, None, reasons.PENDING_LIMIT_EXCEEDED, message)
    draft = draft.looking_at(facts.created + limit)
    return draft.outcome("Unknown", wait.reason, wait.message, facts.time)


def _stepped(facts: Facts, draft: Draft, snapshot: Snapshot) -> Draft:
    """Return the draft with each part of the run as far as it has come, and the next one begun."""
    try:
        for part in _parts(facts):
            draft = progressed(facts, draft, snapshot, part)
            if _is_failed(draft):
                return draft
        return _with_deployment(facts, draft, snapshot)
    except CannotBeRead as error:
        return wait_for_reading(facts, draft, str(error))  # what the parts so far came to is recorded all the same


def _with_deployment(facts: Facts, draft: Draft, snapshot: Snapshot) -> Draft:
    """Return the draft with the deployment step as far as it has come, where the others are done."""
    if any(draft.state_of(job) not in ("Succeeded", "Skipped") for job in ("dataset", "training", "testing")):
        return draft
    if draft.state_of("deployment") == "Skipped":
        return replace(draft, run=ended_well(draft.run, facts.time))
    if facts.run.spec.suspend and _has_nothing_under_way(facts, draft):
        return suspended(facts, draft, "deployment")
    found = deploying.deployed(facts, draft, snapshot)
    if isinstance(found, deploying.TestAgain):
        return progressed(facts, draft, snapshot, again(snapshot))
    if found.state_of("deployment") == "Succeeded":
        return replace(found, run=ended_well(found.run, facts.time))
    return found


def _has_nothing_under_way(facts: Facts, draft: Draft) -> bool:
    """Return whether the deployment step has yet to begin: nothing is proposed, and nothing is tested again."""
    step = step_of(draft.run, "deployment")
    proposed = step is not None and step.reason in (reasons.PROPOSED, reasons.ROLLING_OUT)
    return not proposed and (AGAIN in draft.reported or not _tests_again(facts))


def _parts(facts: Facts) -> tuple[Planned, ...]:
    snapshot = facts.snapshot
    if snapshot is None:
        return ()
    parts = plan(snapshot, beginning.jobs_of(facts, snapshot))
    return (*parts, again(snapshot)) if AGAIN in facts.reported or _tests_again(facts) else parts


def _tests_again(facts: Facts) -> bool:
    return any(job["metadata"]["labels"].get("penstock.dev/step") == AGAIN for job in facts.observation.jobs)


def _is_failed(draft: Draft) -> bool:
    return any(step.state == "Failed" for step in status_of(draft.run).steps)


def _current(run: PipelineRun) -> JobName | None:
    """Return the step that the run is at."""
    steps = status_of(run).steps
    return next((step.name for step in steps if step.state not in ("Succeeded", "Reused", "Skipped")), None)
