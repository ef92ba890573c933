"""The servers that the Service selects: what the status says of them, and how they are kept while others come up.

They may be of an earlier revision than the one that is wanted. Until the Service turns they answer, so there are as
many of them as the spec says, behind the port that it says.
"""

from dataclasses import replace

import msgspec

from penstock.api.pipeline import Pipeline
from penstock.decide import reasons
from penstock.decide.decision import Apply, Create, Patch
from penstock.decide.objects.comparison import is_as_asked
from penstock.decide.objects.service import service
from penstock.decide.objects.serving import Serving, serving_file
from penstock.decide.pipeline import messages
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.pipeline.proposals import proposer_of
from penstock.decide.pipeline.served_since import start_time
from penstock.decide.pipeline.servers import Servers
from penstock.decide.serving import served_model, with_served


def keep_serving(facts: PipelineFacts, draft: PipelineDraft, serving: Serving) -> PipelineDraft:
    """Return the draft in which the Model goes on being served by the servers that the Service selects, for now."""
    target, revision = serving.model.metadata.name or "", facts.service_revision
    there = facts.deployment_of(revision)
    if revision is None or there is None:
        return draft.ready("Unknown", reasons.ROLLING_OUT, messages.first_rolling_out(target))
    draft = with_served_revision(facts, keep_selected(facts, draft, serving), revision, target)
    servers = Servers(there, facts.pods_of(revision), facts.observation.settings.pending_limit)
    return with_availability(facts, draft, servers, target)


def keep_selected(facts: PipelineFacts, draft: PipelineDraft, serving: Serving) -> PipelineDraft:
    """Return the draft in which the servers that the Service selects are as many, and it as open, as the spec says.

    `serving` is what is to take their place; what they are themselves can be made again of their Model's alone.
    """
    wanted, revision = facts.pipeline.spec.deployment, facts.service_revision
    there = facts.deployment_of(revision)
    if wanted is None or revision is None or there is None:
        return draft
    if there["spec"].get("replicas") != wanted.replicas:
        draft = draft.with_writes(Patch.of(there, {"spec": {"replicas": wanted.replicas}}))
    file = serving_file(serving, revision)
    if served_model(facts.pipeline) == serving.model.metadata.name and not facts.has_serving_file(file):
        draft = draft.with_writes(Create(file))
    return with_service(facts, draft, revision)


def with_service(facts: PipelineFacts, draft: PipelineDraft, revision: str) -> PipelineDraft:
    """Return the draft in which the Service is there, and selects this revision alone."""
    made, there = service(facts.owner, facts.port, revision), facts.observation.service
    if there is None or not facts.owns(there):
        return draft.with_writes(Create(made))
    # One label more in the selector, and it selects nothing.
    if there["spec"].get("selector") != made["spec"]["selector"] or not is_as_asked(there, made):
        return draft.with_writes(Apply(made))
    return draft


def with_served_revision(facts: PipelineFacts, draft: PipelineDraft, revision: str, target: str) -> PipelineDraft:
    """Return the draft whose status says that this revision serves that Model."""
    run, reason = (None, "") if served_model(draft.pipeline) == target else proposer_of(facts, target)
    pipeline: Pipeline = with_served(draft.pipeline, run, reason, start_time(facts, target))
    now = pipeline.status.served_model if pipeline.status else None
    draft = replace(draft, pipeline=pipeline).status(url=facts.observation.site.url(facts.owner, facts.port))
    if now is not None and now.revision != revision:
        draft = draft.status(served_model=msgspec.structs.replace(now, revision=revision))
    return draft.ready("True", reasons.MODEL_SERVED, messages.model_served(target))


def unless_none_answers(facts: PipelineFacts, draft: PipelineDraft, kept: str | None) -> PipelineDraft:
    """Return the draft whose `Ready` is False where the Model that is kept has no server that answers."""
    there = facts.deployment_of(facts.service_revision)
    if kept is None or there is None:
        return draft
    limit = facts.observation.settings.pending_limit
    servers = Servers(there, facts.pods_of(facts.service_revision), limit)
    return draft if servers.available() else with_availability(facts, draft, servers, kept)


def with_availability(
    facts: PipelineFacts, draft: PipelineDraft, servers: Servers | None, target: str
) -> PipelineDraft:
    """Return the draft whose `Ready` is about the servers that answer now, of those that the Service selects."""
    wanted = facts.pipeline.spec.deployment.replicas if facts.pipeline.spec.deployment else 0
    available = servers.available() if servers is not None else 0
    if available >= wanted:
        return draft
    if available:
        return draft.ready("True", reasons.MODEL_SERVED, messages.model_served_by_some(target, available, wanted))
    why = servers.trouble() if servers is not None else messages.servers_made_again()
    return draft.ready("False", reasons.SERVERS_UNAVAILABLE, messages.servers_unavailable(target, why))
