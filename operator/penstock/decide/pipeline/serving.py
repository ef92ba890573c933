"""How a Pipeline comes to serve a Model: new servers beside the old, the Service turned once they are ready.

The old ones are let go after that. No Service selects two revisions, and one that does not become ready leaves the old
one serving. What was made is kept as it was made: whatever of it is deleted or edited is made again.
"""

from dataclasses import replace

import msgspec

from penstock.api.decoding import Unreadable
from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.decide import messages, reasons
from penstock.decide.decision import ApiObject, Apply, Create, Patch, Write
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.comparison import is_as_asked
from penstock.decide.objects.images import serving_image
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.objects.service import service
from penstock.decide.objects.serving import ROLLOUT_FAILED, Serving, deployment, serving_file
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts, revision_of
from penstock.decide.pipeline.proposals import proposer_of
from penstock.decide.pipeline.servers import Servers
from penstock.decide.pipeline.surplus_servers import surplus_servers, take_down
from penstock.decide.serving import pinned_model, served_model, with_served


def advance_rollout(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which the Pipeline serves, or is on its way to serve, what it should."""
    wanted = facts.pipeline.spec.deployment
    status = draft.pipeline.status
    target = pinned_model(facts.pipeline) or (status.selected_model if status else None)
    if wanted is None:
        return take_down(facts, draft).ready("True", reasons.ACCEPTED, messages.acceptance_message())
    if target is None:
        # Where a choice was taken back, its servers go.
        return _scale_down_others(facts, draft, None).ready("False", reasons.NO_MODEL, messages.no_model())
    model = facts.model(target)
    if model is None:
        return draft.ready("False", reasons.MODEL_NOT_FOUND, messages.model_not_found(target), stalled=True)
    if isinstance(model, Unreadable):
        return draft.ready("False", reasons.INVALID, model.sentence, stalled=True)  # what serves, goes on
    serving = _serving(facts, model)
    there = facts.deployment_of(serving.revision)
    replicas, ready = wanted.replicas, _is_ready(there, wanted.replicas)
    servers = _servers(facts, serving, there)
    failure = None if ready else _failure(facts, servers, target)
    if there is not None and failure is not None:
        return _fail_rollout(facts, draft, target, there, failure)
    draft = draft.with_writes(*_writes_of_servers(facts, serving, there, replicas))
    if facts.service_revision != serving.revision and not ready:
        return _rolling_out(facts, draft, target, servers)
    draft = _switch_service(facts, draft, serving, target)
    return _with_availability(facts, draft, servers, target) if facts.service_revision == serving.revision else draft


def _writes_of_servers(
    facts: PipelineFacts, serving: Serving, there: ApiObject | None, replicas: int
) -> tuple[Write, ...]:
    """Return what is to be written so that the servers are there, and are what they were made as."""
    writes: list[Write] = []
    made = deployment(serving, replicas)
    file = serving_file(serving)
    if not any(each["metadata"]["name"] == file["metadata"]["name"] for each in facts.own_serving_files):
        writes.append(Create(file))  # it is immutable, so that it is right where it is there
    if there is None:
        writes.append(Create(made))
    elif there["spec"].get("replicas") != replicas or _failure_annotation(there) is not None:
        writes.append(_scale_patch(there, replicas))
    elif not is_as_asked(there, made):
        writes.append(Apply(made))
    return tuple(writes)


def _with_availability(
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


def _serving(facts: PipelineFacts, model: Model) -> Serving:
    settings, pipeline = facts.observation.settings, facts.pipeline
    spec = with_profiles(pipeline.spec, (), settings.profiles, settings.defaults)
    resolved = settings_of(spec, "deployment")
    return Serving(
        owner=facts.owner,
        model=model,
        image=serving_image(model, resolved, settings.images),
        settings=resolved,
        trusted_types=spec.models.trusted_types,
        logs=spec.logs,
        general=settings.pods,
    )


def _servers(facts: PipelineFacts, serving: Serving, there: ApiObject | None) -> Servers | None:
    if there is None:
        return None
    limit = serving.settings.pending_limit or facts.observation.settings.pending_limit
    return Servers(there, facts.pods_of(serving.revision), limit)


def _switch_service(facts: PipelineFacts, draft: PipelineDraft, serving: Serving, target: str) -> PipelineDraft:
    """Return the draft in which the Service selects this revision, the status says so, and the other servers go."""
    port = facts.pipeline.spec.deployment.port if facts.pipeline.spec.deployment else 80
    made = service(facts.owner, port, serving.revision)
    there = facts.observation.service
    if there is None or not facts.owns(there):
        draft = draft.with_writes(Create(made))
    elif there["spec"].get("selector") != made["spec"]["selector"] or not is_as_asked(there, made):
        draft = draft.with_writes(Apply(made))  # one label more in the selector, and it selects nothing
    run, reason = (None, "") if served_model(draft.pipeline) == target else proposer_of(facts, target)
    pipeline: Pipeline = with_served(draft.pipeline, run, reason, facts.time)
    now = pipeline.status.served_model if pipeline.status else None
    draft = replace(draft, pipeline=pipeline).status(url=facts.observation.site.url(facts.owner, port))
    if now is not None and now.revision != serving.revision:
        draft = draft.status(served_model=msgspec.structs.replace(now, revision=serving.revision))
    draft = draft.ready("True", reasons.MODEL_SERVED, messages.model_served(target))
    if facts.service_revision != serving.revision:
        return draft  # the others go once the Service is seen to be turned, and no sooner
    return _scale_down_others(facts, draft, serving.revision).with_writes(*surplus_servers(facts, serving.revision))


def _scale_down_others(facts: PipelineFacts, draft: PipelineDraft, revision: str | None) -> PipelineDraft:
    for other in facts.own_deployments:
        if revision_of(other) != revision and other["spec"].get("replicas") != 0:
            draft = draft.with_writes(Patch.of(other, {"spec": {"replicas": 0}}))
    return draft


def _rolling_out(facts: PipelineFacts, draft: PipelineDraft, target: str, there: Servers | None) -> PipelineDraft:
    message = messages.rolling_out(target) if served_model(facts.pipeline) else messages.first_rolling_out(target)
    held = there.waiting_message() if there is not None else None
    if there is None or held is None:
        return draft.ready("Unknown", reasons.ROLLING_OUT, message)
    return draft.ready("Unknown", reasons.ROLLING_OUT, f"{message} {held}").requeue_at(there.until())


def _failure(facts: PipelineFacts, there: Servers | None, target: str) -> str | None:
    """Return why these servers do not become ready, or None; those that are pinned by hand go on trying."""
    if there is None or facts.service_revision == revision_of(there.deployment):
        return None
    if facts.service_revision is None and served_model(facts.pipeline) == target:
        return None  # it is the Service that is gone: there is nothing to go back to
    marked = _failure_annotation(there.deployment)
    if marked is not None:
        return marked if pinned_model(facts.pipeline) != target else None
    return there.failure(facts.now) if there.deployment["spec"].get("replicas") else None


def _fail_rollout(facts: PipelineFacts, draft: PipelineDraft, target: str, there: ApiObject, why: str) -> PipelineDraft:
    kept = served_model(facts.pipeline)
    message = messages.model_not_ready(target, kept, why)
    if pinned_model(facts.pipeline) != target:
        if _failure_annotation(there) is None:
            content = {"metadata": {"annotations": {ROLLOUT_FAILED: why[:512]}}, "spec": {"replicas": 0}}
            draft = draft.with_writes(Patch.of(there, content))
        draft = draft.status(selected_model=kept)
    # Who pins a Model wants that one: the old one that still answers is not what the spec says.
    stalled = kept is None or pinned_model(facts.pipeline) == target
    return draft.ready("True" if kept else "False", reasons.ROLLOUT_FAILED, message, stalled=stalled)


def _scale_patch(there: ApiObject, replicas: int) -> Patch:
    return Patch.of(there, {"metadata": {"annotations": {ROLLOUT_FAILED: None}}, "spec": {"replicas": replicas}})


def _is_ready(there: ApiObject | None, replicas: int) -> bool:
    status = (there or {}).get("status") or {}
    generation = (there or {}).get("metadata", {}).get("generation")
    return (
        there is not None
        and there["spec"].get("replicas") == replicas
        and status.get("observedGeneration", 0) >= (generation or 0)
        and status.get("availableReplicas", 0) >= replicas
    )


def _failure_annotation(there: ApiObject) -> str | None:
    """Return why these servers were given up, where they were."""
    said = (there["metadata"].get("annotations") or {}).get(ROLLOUT_FAILED)
    return None if said is None else str(said)
