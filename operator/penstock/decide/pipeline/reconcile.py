"""`decide`: one Pipeline, made right."""

from datetime import datetime

from penstock.api.decoding import Unreadable, decode
from penstock.api.pipeline import Pipeline, PipelineStatus
from penstock.api.unimplemented import refuse_unimplemented
from penstock.decide import messages, reasons
from penstock.decide.conditions import find
from penstock.decide.decision import Decision, Event, Refusal
from penstock.decide.job_specification import selection_of
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.parameters import refuse_declarations
from penstock.decide.pipeline import messages as pipeline_messages
from penstock.decide.pipeline.anchor import with_anchor
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.pipeline.models import with_servers
from penstock.decide.pipeline.notifications import is_of_notification, with_notifications
from penstock.decide.pipeline.observation import PipelineObservation
from penstock.decide.pipeline.proposals import is_withdrawn, proposal_to_take
from penstock.decide.pipeline.retention import with_retention
from penstock.decide.pipeline.served_since import last_selected, with_found_history, with_served_since
from penstock.decide.pipeline.serving import advance_rollout
from penstock.decide.serving import FIRST_MODEL, pinned_model, served_model
from penstock.decide.status import leave_alone
from penstock_jobs.contract.errors import Refused

QUOTA_REQUEUE = 30.0  # seconds


def decide(observation: PipelineObservation, now: datetime) -> Decision:
    """Return what is to be done for the Pipeline now."""
    there = observation.pipeline
    if there["metadata"].get("deletionTimestamp"):
        return Decision()  # its API goes with it, and its Models stay
    pipeline = decode(there, Pipeline)
    if isinstance(pipeline, Unreadable):
        return leave_alone(there, pipeline, now)
    facts = PipelineFacts(observation, pipeline, now)
    before = PipelineDraft(pipeline, facts.time)
    draft = _with_counts(facts, before)
    try:
        _refuse(facts)
        draft = with_found_history(facts, advance_rollout(facts, _with_selection(facts, draft)))
        # The Model's status by its version first: to annotate it makes another of it.
        draft = with_retention(facts, with_anchor(facts, with_served_since(facts, with_servers(facts, draft))))
    except Refused as error:
        draft = draft.ready("False", reasons.INVALID, str(error), stalled=True)
    if observation.refused is not None and not is_of_notification(observation.refused):
        draft = _reject_write(_with_counts(facts, before), observation.refused)
    draft = with_notifications(facts, draft)
    again = None if draft.requeue_time is None else max((draft.requeue_time - now).total_seconds(), 0)
    return _to_decision(pipeline, draft, QUOTA_REQUEUE if observation.refused is not None else again)


def _refuse(facts: PipelineFacts) -> None:
    """Raise `Refused` where the spec cannot work, whatever run is made of it."""
    settings, spec = facts.observation.settings, facts.pipeline.spec
    refuse_unimplemented("Pipeline", facts.observation.pipeline)
    facts.observation.site.refuse_inputs(spec)
    refuse_declarations(spec)
    with_profiles(spec, (), settings.profiles, settings.defaults)
    selection_of(spec)


def _with_counts(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    runs = facts.observation.runs
    return draft.status(
        latest_run=runs.newest(),
        active_runs=len(runs.live),
        models=facts.observation.models.count_of_pipeline(facts.name),
        testing_uses=facts.testing_uses(),
    )


def _with_selection(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which a proposal is taken, where there is one to take, or taken back before it is served."""
    if is_withdrawn(facts):
        return draft.status(selected_model=served_model(facts.pipeline))
    proposal = proposal_to_take(facts)
    if proposal is not None:
        return draft.status(selected_model=proposal.model)
    if facts.status.selected_model is not None:
        return draft
    # Where the status was lost, as with a backup or the CRD of another version, the Service still knows, or the Models.
    answering = facts.model_of_service if pinned_model(facts.pipeline) is None else None
    known = (answering, last_selected(facts))
    if served_model(facts.pipeline) is not None:
        known = known[::-1]  # what answers was pinned until now
    found = next((each for each in known if each), None) or facts.pipeline.metadata.annotations.get(FIRST_MODEL)
    return draft.status(selected_model=found) if found else draft


def _reject_write(draft: PipelineDraft, refusal: Refusal) -> PipelineDraft:
    message = messages.write_refusal_message(refusal.kind, refusal.name, refusal.message)
    if refusal.reason == "NameConflict":
        message = pipeline_messages.pipeline_name_conflict(refusal.kind, refusal.name)
    return draft.ready("False", refusal.reason, message, stalled=True)


def _to_decision(before: Pipeline, draft: PipelineDraft, again: float | None) -> Decision:
    changed = draft.pipeline.status != before.status
    old, new = (find((each.status or PipelineStatus()).conditions, "Ready") for each in (before, draft.pipeline))
    events = draft.events
    if new is not None and (old is None or (old.status, old.reason) != (new.status, new.reason)):
        calm = new.status != "False" and new.reason != reasons.ROLLOUT_FAILED
        events = (Event("Normal" if calm else "Warning", new.reason, new.message), *events)
    return Decision(draft.writes, draft.pipeline.status if changed else None, events, again)
