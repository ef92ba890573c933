"""What a run decides of its Pipeline's API: which Model is to be served after it, and what it says of that."""

from penstock.api.pipeline import Pipeline, PipelineSpec
from penstock.api.run import DeploymentSummary
from penstock.decide.conditions import shorten
from penstock.decide.job_specification import selection_of
from penstock.decide.selection import GateDecision, select_model
from penstock.decide.serving import pinned_model, served_model
from penstock_jobs.contract.result import TestingResult


def decide_deployment(spec: PipelineSpec, pipeline: Pipeline, tested: TestingResult | None) -> GateDecision:
    """Return the decision by the rules of this spec, about what the Pipeline serves and pins now."""
    selection = selection_of(spec)
    pinned = pinned_model(pipeline)
    if selection is None:
        return GateDecision(None, pinned, f"deployment.model pins {pinned}, so it is served.")
    return select_model(tested, selection, served_model(pipeline), pinned)


def summary_of(decision: GateDecision, tested: TestingResult | None, against: str | None) -> DeploymentSummary:
    """Return what the status of the run says of the decision; `against` is what was served at the time."""
    return DeploymentSummary(
        verdict=decision.verdict,
        challenger=tested.challenger if tested else None,
        against=against,
        served=decision.model,
        message=shorten(decision.reason),
    )
