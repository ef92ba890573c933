"""Which run's proposal is taken: one at a time, the oldest first, and only one made against what is served now."""

from dataclasses import dataclass

from penstock.api.model import Model
from penstock.decide import reasons
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import goes_on
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.serving import pinned_model, served_model


@dataclass(frozen=True)
class Proposal:
    """A Model that a run would have served, and why."""

    run: str
    model: str
    reason: str
    against: str | None


def proposal_to_take(facts: PipelineFacts) -> Proposal | None:
    """Return the proposal that is taken now, or None: while another Model is on its way, none is."""
    selected, served = facts.status.selected_model, served_model(facts.pipeline)
    if pinned_model(facts.pipeline) is not None or selected not in (None, served):
        return None
    found = [
        proposal for run in facts.observation.runs.with_open_proposal() if (proposal := _proposal(run)) is not None
    ]
    ordered = sorted(found, key=lambda each: each[0])
    return next((proposal for _, proposal in ordered if proposal.against == served), None)


def is_withdrawn(facts: PipelineFacts) -> bool:
    """Return whether the Model that was selected, and is not served yet, was proposed by a run that is cancelled."""
    selected = facts.status.selected_model
    if selected is None or selected == served_model(facts.pipeline) or pinned_model(facts.pipeline) is not None:
        return False
    proposing = facts.observation.runs.with_proposal_of(selected)
    return any(run["spec"].get("cancel") for run in proposing) and not any(goes_on(run) for run in proposing)


def proposer_of(facts: PipelineFacts, model: str) -> tuple[str | None, str]:
    """Return the run that proposed a Model which was taken, and the verdict by which it did."""
    for run in facts.observation.runs.with_proposal_of(model):
        steps = (run.get("status") or {}).get("steps") or ()
        said = next((step.get("deployment") for step in steps if step.get("name") == "deployment"), None) or {}
        return str(run["metadata"]["name"]), str(said.get("verdict") or reasons.SELECTED)
    made = facts.model(model)
    return (made.spec.origin.run_ref.name if isinstance(made, Model) else None), reasons.SELECTED


def _proposal(run: ApiObject) -> tuple[tuple[str, str], Proposal] | None:
    if not goes_on(run):
        return None
    for step in (run.get("status") or {}).get("steps") or ():
        said = step.get("deployment") or {}
        if step.get("name") == "deployment" and step.get("reason") == reasons.PROPOSED and said.get("served"):
            made = str(run["metadata"].get("creationTimestamp") or ""), str(run["metadata"]["uid"])
            verdict = str(said.get("verdict") or reasons.SELECTED)
            return made, Proposal(str(run["metadata"]["name"]), str(said["served"]), verdict, said.get("against"))
    return None
