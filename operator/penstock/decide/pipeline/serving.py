"""How a Pipeline comes to serve a Model: new servers beside the old, the Service turned once they are ready.

The old ones are let go after that. No Service selects two revisions, and one that does not become ready leaves the old
one serving.
"""

import msgspec

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.decide import reasons
from penstock.decide.decision import ApiObject, Apply, Create, Patch
from penstock.decide.job_specification import settings_of
from penstock.decide.objects.images import serving_image
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.objects.service import service, url
from penstock.decide.objects.serving import Serving, deployment, serving_file
from penstock.decide.pipeline.draft import Draft
from penstock.decide.pipeline.facts import Facts, revision_of
from penstock.decide.pipeline.proposals import proposer_of
from penstock.decide.run.deploying import ROLLOUT_FAILED
from penstock.decide.serving import pinned_model, served_model, with_served

_FAILED = "ProgressDeadlineExceeded"


def served(facts: Facts, draft: Draft) -> Draft:
    """Return the draft in which the Pipeline serves, or is on its way to serve, what it should."""
    wanted = facts.pipeline.spec.deployment
    status = draft.pipeline.status
    target = pinned_model(facts.pipeline) or (status.selected_model if status else None)
    if wanted is None:
        return draft.ready("True", reasons.ACCEPTED, reasons.accepted())
    if target is None:
        return draft.ready("False", reasons.NO_MODEL, reasons.no_model())
    model = facts.model(target)
    if model is None:
        return draft.ready("False", reasons.MODEL_NOT_FOUND, reasons.model_not_found(target), stalled=True)
    serving = _serving(facts, model)
    there = facts.deployment_of(serving.revision)
    if _has_failed(facts, there, target):
        return _failed(facts, draft, target, there)
    replicas = wanted.replicas
    if there is None:
        draft = draft.writing(Create(serving_file(serving)), Create(deployment(serving, replicas)))
    elif there["spec"].get("replicas") != replicas or _is_marked(there):
        draft = draft.writing(_renewed(there, replicas))
    if facts.turned_to != serving.revision and not _is_ready(there, replicas):
        return _rolling_out(draft, target, served_model(facts.pipeline))
    return _turned(facts, draft, serving, target)


def _serving(facts: Facts, model: Model) -> Serving:
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


def _turned(facts: Facts, draft: Draft, serving: Serving, target: str) -> Draft:
    """Return the draft in which the Service selects this revision, the status says so, and the other servers go."""
    port = facts.pipeline.spec.deployment.port if facts.pipeline.spec.deployment else 80
    made = service(facts.owner, port, serving.revision)
    there = facts.observation.service
    if there is None or not facts.made(there):
        draft = draft.writing(Create(made))
    elif facts.turned_to != serving.revision or there["spec"]["ports"][0].get("port") != port:
        draft = draft.writing(Apply(made))
    run, reason = (None, "") if served_model(draft.pipeline) == target else proposer_of(facts, target)
    pipeline: Pipeline = with_served(draft.pipeline, run, reason, facts.time)
    now = pipeline.status.served_model if pipeline.status else None
    draft = Draft(pipeline, draft.now, draft.writes).status(url=url(facts.owner, port))
    if now is not None and now.revision != serving.revision:
        draft = draft.status(served_model=msgspec.structs.replace(now, revision=serving.revision))
    draft = draft.ready("True", reasons.MODEL_SERVED, reasons.model_served(target))
    # The others go once the Service is seen to be turned, and no sooner.
    return _others_gone(facts, draft, serving.revision) if facts.turned_to == serving.revision else draft


def _others_gone(facts: Facts, draft: Draft, revision: str) -> Draft:
    for other in facts.own_deployments:
        if revision_of(other) != revision and other["spec"].get("replicas") != 0:
            draft = draft.writing(_patched(other, {"spec": {"replicas": 0}}))
    return draft


def _rolling_out(draft: Draft, target: str, before: str | None) -> Draft:
    message = reasons.rolling_out(target) if before else reasons.first_rolling_out(target)
    return draft.ready("Unknown", reasons.ROLLING_OUT, message)


def _has_failed(facts: Facts, there: ApiObject | None, target: str) -> bool:
    """Return whether these servers did not become ready in their time; those that are pinned by hand go on trying."""
    if there is None or facts.turned_to == revision_of(there):
        return False
    return _progress_failed(there) or (_is_marked(there) and pinned_model(facts.pipeline) != target)


def _failed(facts: Facts, draft: Draft, target: str, there: ApiObject | None) -> Draft:
    kept, condition = served_model(facts.pipeline), _progress(there) if there else {}
    why = str(condition.get("message") or reasons.not_ready_in_time())
    message = reasons.model_not_ready(target, kept, why)
    if there is not None and pinned_model(facts.pipeline) != target:
        if not _is_marked(there):
            content = {"metadata": {"annotations": {ROLLOUT_FAILED: why[:512]}}, "spec": {"replicas": 0}}
            draft = draft.writing(_patched(there, content))
        draft = draft.status(selected_model=kept)
    # Who pins a Model wants that one: the old one that still answers is not what the spec says.
    stalled = kept is None or pinned_model(facts.pipeline) == target
    return draft.ready("True" if kept else "False", reasons.ROLLOUT_FAILED, message, stalled=stalled)


def _renewed(there: ApiObject, replicas: int) -> Patch:
    return _patched(there, {"metadata": {"annotations": {ROLLOUT_FAILED: None}}, "spec": {"replicas": replicas}})


def _is_ready(there: ApiObject | None, replicas: int) -> bool:
    status = (there or {}).get("status") or {}
    generation = (there or {}).get("metadata", {}).get("generation")
    return (
        there is not None
        and there["spec"].get("replicas") == replicas
        and status.get("observedGeneration", 0) >= (generation or 0)
        and status.get("availableReplicas", 0) >= replicas
    )


def _progress(there: ApiObject) -> dict[str, str]:
    conditions = (there.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == "Progressing"), {})


def _progress_failed(there: ApiObject) -> bool:
    return _progress(there).get("reason") == _FAILED


def _is_marked(there: ApiObject) -> bool:
    return ROLLOUT_FAILED in (there["metadata"].get("annotations") or {})


def _patched(there: ApiObject, content: dict[str, object]) -> Patch:
    metadata = there["metadata"]
    return Patch(
        api_version="apps/v1",
        kind="Deployment",
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        content=content,
    )
