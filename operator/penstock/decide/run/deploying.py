"""The deployment step: the run says what the gate says, the Pipeline's reconciler decides, and the run tells the end.

The gate is asked again each time, with what is served at that moment. Where it keeps the served Model there is nothing
to decide. Where it chooses the challenger, the run proposes it; the Pipeline's reconciler takes one proposal at a time,
so that a second one finds another Model served and is measured against that, by testing again, once.
"""

from dataclasses import dataclass

import msgspec

from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.api.run import DeploymentSummary
from penstock.decide import messages, reasons
from penstock.decide.conditions import find, shorten
from penstock.decide.decision import ApiObject
from penstock.decide.job_specification import selection_of
from penstock.decide.objects.children import MODEL
from penstock.decide.objects.revision import Snapshot
from penstock.decide.objects.serving import ROLLOUT_FAILED
from penstock.decide.run import termination
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import RETEST
from penstock.decide.run.specifications import find_model
from penstock.decide.run_state import step_of
from penstock.decide.selection import select_model
from penstock.decide.serving import anchor_beside_served, pinned_model, served_model
from penstock_jobs.contract.gate import GateDecision
from penstock_jobs.contract.result import TestingResult


@dataclass(frozen=True)
class TestAgain:
    """These Models are to be tested together, before anything can be decided."""

    models: tuple[str, ...]


def advance_deployment(facts: RunFacts, draft: RunDraft, snapshot: Snapshot) -> RunDraft | TestAgain:
    """Return the draft with what has come of the deployment step by now."""
    pipeline = facts.pipeline
    if pipeline is None:
        message = messages.pipeline_deleted(facts.pipeline_name)
        return termination.fail_run(facts, draft, "deployment", reasons.PIPELINE_DELETED, message)
    if _was_served(facts, pipeline):
        step = step_of(draft.run, "deployment")
        return _finish(facts, draft, step.deployment if step and step.deployment else DeploymentSummary())
    tested = latest_test(draft)
    if pipeline.spec.deployment is None or snapshot.pipeline.spec.deployment is None:
        return _finish(facts, draft, _summary_without_gate(facts, tested))
    pinned = pinned_model(pipeline)
    if pinned is not None and find_model(facts, pinned) is None:
        message = messages.model_not_found(pinned)
        return termination.fail_run(facts, draft, "deployment", reasons.MODEL_NOT_FOUND, message)
    decision = _decide(snapshot.pipeline.spec, pipeline, tested)
    if decision.retest and RETEST not in draft.results:
        return TestAgain(decision.retest)
    served = served_model(pipeline)
    if decision.retest:
        decision = GateDecision("NotComparable", served, messages.still_incomparable(served))
    summary = _summary(decision, tested, served_model(pipeline))
    if decision.model is None or decision.model == served or decision.model != summary.challenger:
        return _finish(facts, draft, summary)  # nothing changes, or a person's pin is above it
    return _propose(facts, draft, pipeline, summary, decision)


def summarise_earlier_decision(spec: PipelineSpec, tested: TestingResult) -> DeploymentSummary:
    """Return what was decided by this test when it was made: about the Model that was served then."""
    against = tested.comparison.served if tested.comparison is not None else None
    anchor = tested.anchor.served if tested.anchor is not None else None
    if spec.deployment is None:
        return DeploymentSummary(challenger=tested.challenger)
    decision = select_model(tested, selection_of(spec), against, None, anchor)
    if decision.retest:
        decision = GateDecision("NotComparable", against, messages.still_incomparable(against))
    return _summary(decision, tested, against)


def _decide(spec: PipelineSpec, pipeline: Pipeline, tested: TestingResult | None) -> GateDecision:
    """Return the decision by the rules of this spec, about what the Pipeline serves and pins now."""
    return select_model(
        tested, selection_of(spec), served_model(pipeline), pinned_model(pipeline), anchor_beside_served(pipeline)
    )


def _summary_without_gate(facts: RunFacts, tested: TestingResult | None) -> DeploymentSummary:
    """Return what the status says where there is no gate: no verdict, and nothing that is served."""
    challenger = tested.challenger if tested else None
    return DeploymentSummary(challenger=challenger, message=messages.no_deployment(facts.pipeline_name))


def _summary(decision: GateDecision, tested: TestingResult | None, against: str | None) -> DeploymentSummary:
    """Return what the status of the run says of the decision; `against` is what was served at the time."""
    return DeploymentSummary(
        verdict=decision.verdict,
        challenger=tested.challenger if tested else None,
        against=against,
        served=decision.model,
        message=shorten(decision.reason),
    )


def latest_test(draft: RunDraft) -> TestingResult | None:
    """Return the last test of the run's Models."""
    for part in (RETEST, "testing"):
        if part in draft.results:
            return draft.result(part, TestingResult)
    return None


def _with_message(summary: DeploymentSummary, served: str | None, message: str) -> DeploymentSummary:
    """Return the summary of a decision that came to something else."""
    return msgspec.structs.replace(summary, served=served, message=message)


def _was_served(facts: RunFacts, pipeline: Pipeline) -> bool:
    served = pipeline.status.served_model if pipeline.status else None
    return served is not None and served.selected_by == facts.name


def _propose(
    facts: RunFacts, draft: RunDraft, pipeline: Pipeline, summary: DeploymentSummary, decision: GateDecision
) -> RunDraft:
    model = decision.model or ""
    if find_model(facts, model) is None:
        message = messages.challenger_not_found(model, served_model(pipeline))
        return termination.fail_run(facts, draft, "deployment", reasons.MODEL_NOT_FOUND, message)
    why = _rollout_failure(facts, model)
    if why is not None:
        message = messages.model_not_ready(model, served_model(pipeline), why)
        draft = draft.step("deployment", "Running", deployment=_with_message(summary, served_model(pipeline), message))
        return termination.fail_run(facts, draft, "deployment", reasons.MODEL_NOT_READY, message)
    selected = pipeline.status.selected_model if pipeline.status else None
    reason, message = reasons.PROPOSED, messages.proposal_message(model, _with_obstacle(pipeline, decision.reason))
    if selected == model:
        reason, message = reasons.ROLLING_OUT, _rollout(pipeline, model)
    step = step_of(draft.run, "deployment")
    started = (step.start_time if step else None) or facts.time
    draft = draft.step("deployment", "Running", reason, message, start_time=started, deployment=summary)
    return draft.outcome("Unknown", reason, message, facts.time)


def _with_obstacle(pipeline: Pipeline, why: str) -> str:
    """Return why a Model is proposed, and what keeps the Pipeline from taking any, where that is so."""
    ready = find(pipeline.status.conditions if pipeline.status else (), "Ready")
    if ready is None or ready.reason != reasons.INVALID:
        return why
    return messages.untaken_proposal(why, ready.message)


def _rollout(pipeline: Pipeline, model: str) -> str:
    """Return how far the servers of the Model are, in the words of the Pipeline."""
    ready = find(pipeline.status.conditions if pipeline.status else (), "Ready")
    return ready.message if ready is not None and ready.status != "True" else messages.rolling_out(model)


def _finish(facts: RunFacts, draft: RunDraft, summary: DeploymentSummary) -> RunDraft:
    step = step_of(draft.run, "deployment")
    started = (step.start_time if step else None) or facts.time
    return draft.step("deployment", "Succeeded", start_time=started, completion_time=facts.time, deployment=summary)


def _rollout_failure(facts: RunFacts, model: str) -> str | None:
    """Return why the servers of the Model did not become ready, or None where they may yet."""
    for deployment in facts.observation.deployments:
        if (deployment["metadata"].get("labels") or {}).get(MODEL) == model:
            return _why_failed(deployment)
    return None


def _why_failed(deployment: ApiObject) -> str | None:
    said = (deployment["metadata"].get("annotations") or {}).get(ROLLOUT_FAILED)
    return None if said is None else str(said)
