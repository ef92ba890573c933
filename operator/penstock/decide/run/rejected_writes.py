"""What the API server does not take: told as it is, with what to do about it."""

from datetime import datetime, timedelta

from penstock.api.run import Step
from penstock.decide import messages, reasons
from penstock.decide.decision import Refusal
from penstock.decide.run import termination
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run_state import status_of
from penstock.decide.times import read_time, write_time

TRY_AGAIN = timedelta(seconds=30)
_OPEN = ("Pending", "Waiting", "Running")
_MAY_PASS = {"QuotaExceeded": reasons.QUOTA_EXCEEDED, "Forbidden": reasons.FORBIDDEN}


def handle_refusal(facts: RunFacts, draft: RunDraft, refusal: Refusal) -> RunDraft:
    """Return the draft of a run one of whose writes the API server has just refused; none of them is done.

    A quota, or a right that is missing, may be given yet: the run waits, as long as its pending limit lets it. The rest
    is a mistake in what was asked for.
    """
    steps = status_of(facts.run).steps
    step = next((each for each in steps if each.state in _OPEN), None)
    name = None if step is None else step.name
    message = messages.write_refusal_message(refusal.kind, refusal.name, refusal.message)
    before = RunDraft(facts.run)
    if refusal.reason in _MAY_PASS:
        return _waiting(facts, before, step, _MAY_PASS[refusal.reason], message)
    if refusal.reason == "NameConflict":
        message = messages.name_conflict(refusal.kind, refusal.name)
        return termination.fail_run(facts, before, name, reasons.NAME_CONFLICT, message)
    return termination.fail_run(facts, before, name, reasons.INVALID, message)


def wait_for_reading(facts: RunFacts, draft: RunDraft, message: str) -> RunDraft:
    """Return the draft of a run that cannot go on from there, since it needs an object which cannot be read.

    Another version of the operator, or whoever mends the object, lets it go on: it waits as long as its pending limit.
    """
    step = next((each for each in status_of(draft.run).steps if each.state in _OPEN), None)
    return _waiting(facts, draft, step, reasons.INVALID, message)


def _waiting(facts: RunFacts, draft: RunDraft, step: Step | None, reason: str, message: str) -> RunDraft:
    """Return the draft of a run that waits for a right or for room, or has waited for as long as it may."""
    since = _since(facts, step)
    said, limit = facts.pending_limit(step.name if step is not None else None, facts.snapshot)
    if facts.now >= since + limit:
        message = messages.pending_limit_exceeded(said, message)
        name = None if step is None else step.name
        return termination.fail_run(facts, draft, name, reasons.PENDING_LIMIT_EXCEEDED, message)
    if step is not None:
        draft = draft.step(step.name, "Waiting", reason, message, wait_start_time=write_time(since))
        message = messages.step_waits(step.name, message)
    return draft.outcome("Unknown", reason, message, facts.time).requeue_at(min(facts.now + TRY_AGAIN, since + limit))


def _since(facts: RunFacts, step: Step | None) -> datetime:
    """Return since when something is refused: as the step says it; of a run that has no steps yet, its beginning."""
    if step is None:
        return facts.creation_time
    return read_time(step.wait_start_time) if step.wait_start_time else facts.now
