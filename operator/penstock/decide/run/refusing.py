"""What the API server, or this version of the operator, does not take: told as it is, with what to do about it."""

from datetime import datetime, timedelta

from penstock.api.conditions import Condition
from penstock.api.run import PipelineRunStatus
from penstock.decide import reasons
from penstock.decide.conditions import shortened
from penstock.decide.decision import ApiObject, Decision, Event, Refusal
from penstock.decide.run import ending
from penstock.decide.run.draft import Draft
from penstock.decide.run.facts import Facts
from penstock.decide.run_state import status_of
from penstock.decide.times import write_time

TRY_AGAIN = timedelta(seconds=30)
_MAY_PASS = {"QuotaExceeded": reasons.QUOTA_EXCEEDED, "Forbidden": reasons.FORBIDDEN}


def refused(facts: Facts, draft: Draft, refusal: Refusal) -> Draft:
    """Return the draft of a run one of whose writes the API server has just refused; none of them is done.

    A quota, or a right that is missing, may be given yet: the run waits. The rest is a mistake in what was asked for.
    """
    steps = status_of(facts.run).steps
    step = next((each.name for each in steps if each.state in ("Pending", "Waiting", "Running")), None)
    message = reasons.refused_write(refusal.kind, refusal.name, refusal.message)
    before = Draft(facts.run)
    if refusal.reason in _MAY_PASS:
        reason = _MAY_PASS[refusal.reason]
        if step is not None:
            before = before.step(step, "Waiting", reason, message)
            message = reasons.step_waits(step, message)
        return before.outcome("Unknown", reason, message, facts.time).looking_at(facts.now + TRY_AGAIN)
    if refusal.reason == "NameConflict":
        message = reasons.name_conflict(refusal.kind, refusal.name)
        return ending.failed(facts, before, step, reasons.NAME_CONFLICT, message)
    return ending.failed(facts, before, step, reasons.INVALID, message)


def undecodable(run: ApiObject, why: str, now: datetime) -> Decision:
    """Return the decision for a run that this version of the operator cannot read: told, and looked at on a change."""
    metadata = run["metadata"]
    message = shortened(reasons.undecodable("PipelineRun", str(metadata["name"]), why))
    before = (run.get("status") or {}).get("conditions") or ()
    same = next((each for each in before if each.get("type") == "Stalled" and each.get("message") == message), None)
    if same is not None:
        return Decision()
    generation = metadata.get("generation")
    conditions = tuple(
        Condition(
            type=kind,
            status="Unknown" if kind == "Succeeded" else "True",
            reason=reasons.INVALID,
            message=message,
            last_transition_time=write_time(now),
            observed_generation=generation,
        )
        for kind in ("Succeeded", "Stalled")
    )
    status = PipelineRunStatus(conditions=conditions, observed_generation=generation)
    return Decision(status=status, events=(Event("Warning", reasons.INVALID, message),))
