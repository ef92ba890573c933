"""`decide`: one Trigger, made right. What each source does is in a file of its own; here is only the order."""

from datetime import datetime, timedelta

from penstock.api.decoding import Unreadable, decode
from penstock.api.parameters import used_parameters
from penstock.api.score_bounds import bound_faults
from penstock.api.semantics import semantic_faults
from penstock.api.trigger import LookStatus, Trigger
from penstock.decide import reasons
from penstock.decide.decision import Decision, Refusal
from penstock.decide.messages import write_refusal_message
from penstock.decide.status import leave_alone
from penstock.decide.trigger import messages
from penstock.decide.trigger.arrivals import follow_files, look_problem, remove_old_looks
from penstock.decide.trigger.begin import begin, has_begun
from penstock.decide.trigger.delivery import carry_out_decisions, let_begin, record_begun
from penstock.decide.trigger.draft import TriggerDraft, to_decision
from penstock.decide.trigger.expressions import compile_expression
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.failures import failed_in_a_row
from penstock.decide.trigger.filter import FIELD
from penstock.decide.trigger.history_limits import apply_history_limits
from penstock.decide.trigger.loops import find_loop
from penstock.decide.trigger.model_scores import follow_model, verdict_on_model
from penstock.decide.trigger.moments import fire_moments, foresee_moment
from penstock.decide.trigger.notifications import is_of_notification, with_notifications
from penstock.decide.trigger.observation import TriggerObservation
from penstock.decide.trigger.pipeline_changes import follow_pipeline
from penstock.decide.trigger.run_ends import follow_runs
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import SCHEDULED_TIME

LOOK = timedelta(minutes=10)  # after which a Trigger is looked at whatever changes: clocks are set, and events get lost
REFUSAL_REQUEUE = timedelta(seconds=30)


def decide(observation: TriggerObservation, now: datetime) -> Decision:
    """Return what is to be done for the Trigger now."""
    there = observation.trigger
    if there["metadata"].get("deletionTimestamp"):
        return Decision()  # its runs go with it
    trigger = decode(there, Trigger)
    if isinstance(trigger, Unreadable):
        return leave_alone(there, trigger, now)
    facts = TriggerFacts(observation, trigger, now)
    draft = TriggerDraft(trigger, facts.time)
    if observation.refused is not None and not is_of_notification(facts, observation.refused):
        # What was not written is not counted: it is tried again, and is late by then.
        return to_decision(trigger, _reject_write(facts, draft, observation.refused), now)
    draft = remove_old_looks(facts, draft)
    if has_begun(facts):
        draft = record_begun(facts, carry_out_decisions(facts, apply_history_limits(facts, draft)))
    else:
        draft = begin(facts, draft)
    try:
        _refuse(facts)
        draft = _advance(facts, draft)
    except Refused as error:
        draft = draft.ready("False", reasons.INVALID, str(error), stalled=True)
    return to_decision(trigger, with_notifications(facts, draft), now)


def _advance(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft of a Trigger that can fire, where nothing stops it."""
    if facts.spec.suspend:
        draft = draft.status(next_schedule_time=None)
        return draft.ready("True", reasons.SUSPENDED, messages.trigger_suspended())
    draft = draft.requeue_at(facts.now + LOOK)
    loop = find_loop(facts.trigger, facts.observation.triggers)
    if loop:
        return draft.ready("False", reasons.LOOP, messages.trigger_loop(loop), stalled=True)
    unused = _unused_scheduled_time(facts)
    if unused is not None:
        return draft.ready("False", reasons.SCHEDULED_TIME_UNUSED, unused, stalled=True)
    failed, limit = failed_in_a_row(facts), facts.spec.failure_limit
    stopped = limit is not None and len(failed) >= limit
    if not stopped and has_begun(facts):
        draft = let_begin(facts, draft)
    draft = _fire(facts, draft)
    if limit is not None and stopped:
        message = messages.failure_limit_reached(limit, failed[0])
        return draft.ready("False", reasons.FAILURE_LIMIT, message, stalled=True)
    return _say_what_comes(facts, draft)


def _fire(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft in which all is dealt with that the source has come to since."""
    if not has_begun(facts):
        return draft if facts.spec.schedule is None else foresee_moment(facts, draft, facts.spec.schedule)
    if draft.current.history != facts.status.history:
        return draft  # what is decided so far is written first, and at once
    if facts.spec.schedule is not None:
        return fire_moments(facts, draft, facts.spec.schedule)
    if facts.spec.runs is not None:
        return follow_runs(facts, draft, facts.spec.runs)
    if facts.spec.objects is not None:
        return follow_files(facts, draft, facts.spec.objects)
    if facts.spec.model is not None:
        return follow_model(facts, draft, facts.spec.model)
    return follow_pipeline(facts, draft) if facts.spec.pipeline is not None else draft


def _say_what_comes(facts: TriggerFacts, draft: TriggerDraft) -> TriggerDraft:
    """Return the draft that says what the Trigger waits for."""
    following, source = draft.current.next_schedule_time, facts.spec.objects
    problem = None if source is None else look_problem(facts, draft, source)
    if problem is not None:
        return draft.ready("False", reasons.LOOK_FAILED, problem[0], stalled=problem[1])
    if facts.waiting and facts.live:
        first = str(facts.live[0]["metadata"]["name"])
        return draft.ready("True", reasons.ACTIVE, messages.trigger_waits(first))
    if facts.spec.schedule is not None and following is None:
        return draft.ready("True", reasons.NO_MORE_MOMENTS, messages.no_more_moments())
    if source is not None:
        look = draft.current.look or LookStatus()
        said = messages.trigger_looks(source.input, source.interval, look.files, look.unsettled)
        return draft.ready("True", reasons.ACTIVE, said)
    if facts.spec.model is not None:
        return draft.ready("True", reasons.ACTIVE, verdict_on_model(facts, facts.spec.model))
    return draft.ready("True", reasons.ACTIVE, messages.trigger_active(following))


def _refuse(facts: TriggerFacts) -> None:
    """Raise `Refused` where the spec cannot work, whatever comes."""
    wrong = [fault.full_sentence for fault in semantic_faults(facts.trigger)]
    if facts.spec.model is not None and facts.pipeline is not None:
        wrong += [fault.full_sentence for fault in bound_faults(facts.spec.model, facts.pipeline.spec)]
    if wrong:
        raise Refused(" ".join(wrong))
    if facts.spec.filter is not None:
        compile_expression(facts.spec.filter, FIELD)
    for each in facts.spec.parameters:
        if each.expression is not None:
            compile_expression(each.expression, f"spec.parameters[{each.name}].expression")


def _unused_scheduled_time(facts: TriggerFacts) -> str | None:
    """Return why it makes no sense to catch up with all moments; None too where the Pipeline is not there to ask."""
    schedule, pipeline = facts.spec.schedule, facts.pipeline
    if schedule is None or schedule.catch_up != "All" or pipeline is None:
        return None
    if SCHEDULED_TIME in used_parameters(pipeline.spec):
        return None
    by_way = any("scheduledTime" in (each.expression or "") for each in facts.spec.parameters)
    return None if by_way else messages.scheduled_time_unused(facts.spec.pipeline_ref.name)


def _reject_write(facts: TriggerFacts, draft: TriggerDraft, refusal: Refusal) -> TriggerDraft:
    message = write_refusal_message(refusal.kind, refusal.name, refusal.message)
    draft = draft.requeue_at(facts.now + REFUSAL_REQUEUE)
    return draft.ready("False", refusal.reason, message, stalled=refusal.reason != "QuotaExceeded")
