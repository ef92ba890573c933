"""The deployment step on a laptop: the gate decides, and the Pipeline remembers which Model `penstock serve` serves.

One decision at a time for a Pipeline. It is recorded in the run before it is applied to the Pipeline, so that a run
that is killed in between finds what it had decided.
"""

from collections.abc import Callable

import msgspec

from penstock.api.pipeline import Pipeline, PipelineStatus
from penstock.api.run import DeploymentSummary, PipelineRun
from penstock.decide.deciding import decided, summary_of
from penstock.decide.run_state import step_of
from penstock.decide.selection import Decision
from penstock.decide.serving import pinned_model, served_model, testing_uses, with_selected, with_served
from penstock.local.beginning import runs_of
from penstock.local.locks import held
from penstock.local.resources import Resources
from penstock_jobs.result import TestingResult


def deploy(
    resources: Resources,
    taken: Pipeline,
    run: PipelineRun,
    tested: TestingResult | None,
    test_again: Callable[[tuple[str, ...]], TestingResult],
    remember: Callable[[DeploymentSummary], None],
) -> DeploymentSummary:
    """Decide which Model the Pipeline serves after this run, by the rules that the run took, and make it so."""
    name, run_name = taken.metadata.name or "", run.metadata.name or ""
    with held(resources.home.lock(f"deployment-{name}")):
        pipeline = resources.get(Pipeline, name)
        applied = _applied_already(pipeline, run)
        if applied is not None:
            return applied
        decision = decided(taken.spec, pipeline, tested)
        if decision.retest:
            tested = test_again(decision.retest)
            decision = decided(taken.spec, pipeline, tested)
        summary = summary_of(decision, tested, served_model(pipeline))
        remember(summary)
        reason = decision.verdict or "Pinned"
        resources.change(Pipeline, name, lambda before: _after(before, decision, run_name, reason, resources))
        return summary


def reconcile(resources: Resources, name: str) -> Pipeline:
    """Make the Pipeline serve what is pinned, or, with no pin, what was last selected."""
    return resources.change(Pipeline, name, lambda before: with_served(before, None, "Unpinned", resources.now()))


def _applied_already(pipeline: Pipeline, run: PipelineRun) -> DeploymentSummary | None:
    served = pipeline.status.served_model if pipeline.status else None
    step = step_of(run, "deployment")
    if served is None or served.selected_by != run.metadata.name or step is None:
        return None
    return step.deployment


def _after(pipeline: Pipeline, decision: Decision, run: str, reason: str, resources: Resources) -> Pipeline:
    status = pipeline.status or PipelineStatus()
    uses = testing_uses(runs_of(resources, pipeline.metadata.name or ""))
    pipeline = msgspec.structs.replace(pipeline, status=msgspec.structs.replace(status, testing_uses=uses))
    if pinned_model(pipeline):
        return with_served(pipeline, run, reason, resources.now())
    return with_selected(pipeline, decision.model, run, reason, resources.now())
