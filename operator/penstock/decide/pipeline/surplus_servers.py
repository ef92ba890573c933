"""Servers that nobody needs any more: those of a Pipeline that serves nothing, and those of Models that were served.

A Deployment can be made again out of its Model at any time, so only the one served before is kept for the way back, at
no replicas. Each new Model, edit and upgrade would leave one behind otherwise.
"""

from collections.abc import Iterator
from dataclasses import replace

from penstock.decide.decision import ApiObject, Delete
from penstock.decide.objects.children import MODEL
from penstock.decide.observed.listers import goes_on
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts, revision_of
from penstock.decide.serving import without_served


def surplus_servers(facts: PipelineFacts, serving: str) -> tuple[Delete, ...]:
    """Return the deletions of what no longer serves and is not the way back; `serving` is the revision that does."""
    kept = {serving, _revision_before(facts)}
    gone = [each for each in facts.own_deployments if revision_of(each) not in kept and _is_over(facts, each)]
    there = kept | {revision_of(each) for each in facts.own_deployments if each not in gone}
    files = (each for each in facts.own_serving_files if revision_of(each) not in there)
    return (*map(Delete.of, gone), *map(Delete.of, files))


def take_down(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft of a Pipeline that serves nothing: the Service goes, and all servers with what they read."""
    serves_nothing = replace(draft, pipeline=without_served(draft.pipeline, facts.time))
    return serves_nothing.status(url=None).with_writes(*_children(facts))


def _children(facts: PipelineFacts) -> Iterator[Delete]:
    service = facts.observation.service
    if service is not None and facts.owns(service):
        yield Delete.of(service)
    yield from map(Delete.of, (*facts.own_deployments, *facts.own_serving_files))


def _revision_before(facts: PipelineFacts) -> str | None:
    """Return the newest revision of the Model that was served before this one, while that Model is there."""
    served = facts.status.served_model.name if facts.status.served_model else None
    before = next((each.name for each in facts.status.served_history if each.name != served), None)
    if before is None or facts.observation.models.get(before) is None:
        return None
    revisions = [each for each in facts.own_deployments if _model_of(each) == before]
    newest = max(revisions, key=lambda each: str(each["metadata"].get("creationTimestamp") or ""), default=None)
    return None if newest is None else revision_of(newest)


def _is_over(facts: PipelineFacts, deployment: ApiObject) -> bool:
    """Return whether these servers have gone, and no run has yet to hear that they did not come up."""
    if deployment["spec"].get("replicas") != 0 or (deployment.get("status") or {}).get("replicas"):
        return False
    proposing = facts.observation.runs.with_proposal_of(_model_of(deployment))
    return not facts.pods_of(revision_of(deployment)) and not any(goes_on(run) for run in proposing)


def _model_of(deployment: ApiObject) -> str:
    return str((deployment["metadata"].get("labels") or {}).get(MODEL) or "")
