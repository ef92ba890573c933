"""How a Pipeline comes to serve a Model: new servers beside the old, the Service turned once they are ready.

The old ones are let go after that. No Service selects two revisions, and one that does not become ready leaves the old
one serving. What was made is kept as it was made: whatever of it is deleted or edited is made again.
"""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from penstock.api.decoding import Unreadable
from penstock.api.model import Model
from penstock.decide import messages, reasons
from penstock.decide.conditions import find
from penstock.decide.decision import ApiObject, Apply, Create, Patch, Write
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.comparison import is_as_asked
from penstock.decide.objects.images import serving_image
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.objects.rollout import Rollout, rollout_annotations, rollout_of
from penstock.decide.objects.serving import ROLLOUT_FAILED, Serving, deployment, serving_file
from penstock.decide.pipeline import messages as pipeline_messages
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts, revision_of
from penstock.decide.pipeline.failures import fail_rollout, failure_annotation, rollout_failure
from penstock.decide.pipeline.selected_servers import (
    keep_selected,
    keep_serving,
    with_availability,
    with_served_revision,
    with_service,
)
from penstock.decide.pipeline.servers import Servers
from penstock.decide.pipeline.surplus_servers import surplus_servers, take_down
from penstock.decide.pipeline.upgrades import PLACE, has_place, is_decided_by_later_leader, is_upgrade
from penstock.decide.serving import pinned_model, served_model
from penstock.decide.times import write_time

QUEUE_REQUEUE = timedelta(seconds=60)  # whoever waits hears when a place gets free; this is for what nobody hears of


def advance_rollout(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which the Pipeline serves, or is on its way to serve, what it should."""
    status = draft.pipeline.status
    target = pinned_model(facts.pipeline) or (status.selected_model if status else None)
    if facts.pipeline.spec.deployment is None:
        return take_down(facts, draft).ready("True", reasons.ACCEPTED, pipeline_messages.acceptance_message())
    if target is None:
        # Where a choice was taken back, its servers go.
        return draft.with_writes(*_scale_down_others(facts)).ready(
            "False", reasons.NO_MODEL, pipeline_messages.no_model()
        )
    model = facts.model(target)
    if model is None:
        return draft.ready("False", reasons.MODEL_NOT_FOUND, messages.model_not_found(target), stalled=True)
    if isinstance(model, Unreadable):
        return draft.ready("False", reasons.INVALID, model.sentence, stalled=True)  # what serves, goes on
    return _advance_servers(facts, draft, _serving(facts, model), facts.pipeline.spec.deployment.replicas)


def _advance_servers(facts: PipelineFacts, draft: PipelineDraft, serving: Serving, replicas: int) -> PipelineDraft:
    """Return the draft in which these servers serve, are on their way to, were given up, or wait for their turn."""
    if is_decided_by_later_leader(facts, serving):
        return keep_serving(facts, draft, serving)
    target, there = serving.model.metadata.name or "", facts.deployment_of(serving.revision)
    is_ready, upgrades = _is_ready(there, replicas), is_upgrade(facts, serving)
    servers = _servers(facts, serving, there, upgrades=upgrades)
    failure = None if is_ready else rollout_failure(facts, servers, target)
    if there is not None and failure is not None:
        return fail_rollout(facts, draft, serving, there, failure)
    if upgrades and not (there and there["spec"].get("replicas")) and not has_place(facts):
        return _queue(facts, keep_serving(facts, draft, serving), target)
    draft = draft.with_writes(*_writes_of_servers(facts, serving, there, replicas, upgrades=upgrades))
    if facts.service_revision != serving.revision and not is_ready:
        return _rolling_out(facts, draft, serving, servers)
    draft = _switch_service(facts, draft, serving, target)
    return with_availability(facts, draft, servers, target) if facts.service_revision == serving.revision else draft


def _queue(facts: PipelineFacts, draft: PipelineDraft, target: str) -> PipelineDraft:
    """Return the draft of a Pipeline whose servers go on until it is its turn to have others."""
    draft = draft.requeue_at(facts.now + QUEUE_REQUEUE)
    ready = find(draft.pipeline.status.conditions if draft.pipeline.status else (), "Ready")
    if ready is not None and ready.status != "True":
        return draft  # that none of its servers answers is more than that others go first
    most = facts.observation.settings.concurrent_rollouts
    return draft.ready("True", reasons.ROLLOUT_QUEUED, pipeline_messages.rollout_queued(target, most))


def _writes_of_servers(
    facts: PipelineFacts, serving: Serving, there: ApiObject | None, replicas: int, *, upgrades: bool
) -> Iterator[Write]:
    """Yield what is to be written so that the servers are there, and are what they were made as."""
    made, file = deployment(serving, replicas), serving_file(serving)
    if not facts.has_serving_file(file):
        yield Create(file)  # it is immutable, so that it is right where it is there
    if there is None:
        yield Create(_with_rollout(made, _rollout_from_now(facts, Rollout(), upgrades=upgrades)))
    elif failure_annotation(there) is not None or (replicas and not there["spec"].get("replicas")):
        again = msgspec.structs.replace(rollout_of(there), start_time=write_time(facts.now), retry_time=None)
        annotations = {ROLLOUT_FAILED: None, **rollout_annotations(_rollout_from_now(facts, again, upgrades=upgrades))}
        yield Patch.of(there, {"metadata": {"annotations": annotations}, "spec": {"replicas": replicas}})
    elif there["spec"].get("replicas") != replicas:
        yield Patch.of(there, {"spec": {"replicas": replicas}})
    elif not is_as_asked(there, made):
        yield Apply(made)


def _rollout_from_now(facts: PipelineFacts, rollout: Rollout, *, upgrades: bool) -> Rollout:
    """Return what servers that are started now remember of it."""
    if not upgrades:
        return msgspec.structs.replace(rollout, upgrade_time=None, leader_since=None)
    since = facts.observation.leader_since
    led = None if since is None else write_time(since)
    return msgspec.structs.replace(rollout, upgrade_time=facts.time, leader_since=led)


def _with_rollout(made: ApiObject, rollout: Rollout) -> ApiObject:
    remembered = {name: value for name, value in rollout_annotations(rollout).items() if value is not None}
    annotations = {**made["metadata"]["annotations"], **remembered}
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


def _serving(facts: PipelineFacts, model: Model) -> Serving:
    settings, pipeline = facts.observation.settings, facts.pipeline
    spec = with_profiles(pipeline.spec, (), settings.profiles, settings.defaults)
    resolved = settings_of(spec, "deployment")
    return Serving(
        owner=facts.owner,
        model=model,
        location=facts.observation.site.reach(facts.owner.namespace, None).model(model),
        image=serving_image(model, resolved, settings.images),
        settings=resolved,
        trusted_types=spec.models.trusted_types,
        logs=spec.logs,
        general=settings.pods,
        written=settings_of(pipeline.spec, "deployment"),
    )


def _servers(facts: PipelineFacts, serving: Serving, there: ApiObject | None, *, upgrades: bool) -> Servers | None:
    if there is None:
        return None
    limit = serving.settings.pending_limit or facts.observation.settings.pending_limit
    return Servers(there, facts.pods_of(serving.revision), limit, PLACE if upgrades else None)


def _switch_service(facts: PipelineFacts, draft: PipelineDraft, serving: Serving, target: str) -> PipelineDraft:
    """Return the draft in which the Service selects this revision, the status says so, and the other servers go."""
    draft = with_service(facts, draft, serving.revision)
    draft = with_served_revision(facts, draft, serving.revision, target)
    if facts.service_revision != serving.revision:
        return draft  # the others go once the Service is seen to be turned, and no sooner
    draft = draft.with_writes(*_scale_down_others(facts, serving.revision), *surplus_servers(facts, serving.revision))
    return draft.with_writes(*_end_rollout(facts, serving.revision))


def _scale_down_others(facts: PipelineFacts, *revisions: str | None) -> Iterator[Patch]:
    """Yield what takes all servers down but those of these revisions."""
    for other in facts.own_deployments:
        if revision_of(other) not in revisions and other["spec"].get("replicas") != 0:
            yield Patch.of(other, {"spec": {"replicas": 0}})


def _end_rollout(facts: PipelineFacts, revision: str) -> Iterator[Patch]:
    """Yield what gives the place back, and forgets the tries, once the servers are alone."""
    there, others = facts.deployment_of(revision), (each for each in facts.own_deployments)
    if there is None or any(_has_servers(facts, each) for each in others if revision_of(each) != revision):
        return
    before = rollout_of(there)
    after = msgspec.structs.replace(before, tries=0, upgrade_time=None)
    if after != before:
        yield Patch.of(there, {"metadata": {"annotations": rollout_annotations(after)}})


def _has_servers(facts: PipelineFacts, there: ApiObject) -> bool:
    has_replicas = there["spec"].get("replicas") or (there.get("status") or {}).get("replicas")
    return bool(has_replicas or facts.pods_of(revision_of(there)))


def _rolling_out(facts: PipelineFacts, draft: PipelineDraft, serving: Serving, there: Servers | None) -> PipelineDraft:
    """Return the draft in which new servers start, and those that the Service selects go on; any between them go."""
    target = serving.model.metadata.name or ""
    message = (
        messages.rolling_out(target) if served_model(facts.pipeline) else pipeline_messages.first_rolling_out(target)
    )
    draft = keep_selected(facts, draft, serving)
    if facts.service_revision is not None:
        draft = draft.with_writes(*_scale_down_others(facts, serving.revision, facts.service_revision))
    if there is None:
        return draft.ready("Unknown", reasons.ROLLING_OUT, message)
    held, again = there.waiting_message(), there.requeue_time()
    draft = draft.ready("Unknown", reasons.ROLLING_OUT, message if held is None else f"{message} {held}")
    return draft if again is None else draft.requeue_at(again)


def _is_ready(there: ApiObject | None, replicas: int) -> bool:
    status = (there or {}).get("status") or {}
    generation = (there or {}).get("metadata", {}).get("generation")
    return (
        there is not None
        and there["spec"].get("replicas") == replicas
        and status.get("observedGeneration", 0) >= (generation or 0)
        and status.get("availableReplicas", 0) >= replicas
    )
