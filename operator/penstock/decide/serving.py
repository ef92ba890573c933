"""Which Model a Pipeline serves: the one that is pinned by hand, else the one last selected. And who was, before."""

import msgspec

from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec, PipelineStatus, ServedModel
from penstock.decide.decision import ApiObject
from penstock_jobs.contract.errors import Refused

PIN_MANAGER = "penstock-deploy"  # the field manager by which `penstock deploy` sets spec.deployment.model
FIRST_MODEL = "penstock.dev/first-model"  # an annotation: what is served until a run of the Pipeline selects a Model
HISTORY = 20
BETTER = ("First", "Improved")  # verdicts by which a Model is served that later ones are measured against
PINNED_BY = "deployment.model"  # in the place of a run, where a person chose the Model that is served
UNDONE_BY_A_MANIFEST = "A manifest in Git that names spec.deployment.model would undo this when it is next applied."


def pinned_model(pipeline: Pipeline) -> str | None:
    """Return the Model that a person chose: by `penstock deploy`, or in the manifest."""
    return pipeline.spec.deployment.model if pipeline.spec.deployment else None


def require_deployment(pipeline: Pipeline) -> None:
    """Raise `Refused` where the Pipeline serves nothing, so that no Model can be pinned."""
    if pipeline.spec.deployment is None:
        raise Refused(f"The Pipeline {pipeline.metadata.name} has no spec.deployment, so it serves nothing; add it.")


def with_pin(pipeline: Pipeline, model: str | None) -> Pipeline:
    """Return the Pipeline with the Model pinned by hand, as an API server has it after `penstock deploy`."""
    spec = _with_model(pipeline.spec, model)
    generation = (pipeline.metadata.generation or 0) + (spec != pipeline.spec)
    metadata = msgspec.structs.replace(_with_manager(pipeline.metadata, is_pinned=bool(model)), generation=generation)
    return msgspec.structs.replace(pipeline, metadata=metadata, spec=spec)


def with_manifest(there: Pipeline, new: PipelineSpec) -> Pipeline:
    """Return the Pipeline as a manifest has it. It keeps the pin of `penstock deploy` where it does not say another."""
    is_pinned = any(each.get("manager") == PIN_MANAGER for each in there.metadata.managed_fields)
    pinned = pinned_model(there)
    if is_pinned and pinned is not None and new.deployment is not None and new.deployment.model is None:
        return msgspec.structs.replace(there, spec=_with_model(new, pinned))
    return msgspec.structs.replace(there, metadata=_with_manager(there.metadata, is_pinned=False), spec=new)


def is_same_but_for_pin(one: PipelineSpec, other: PipelineSpec) -> bool:
    """Return whether two specs say the same, whichever Model each of them pins."""
    return _with_model(one, None) == _with_model(other, None)


def models_named_by(pipeline: ApiObject) -> frozenset[str]:
    """Return the Models that a Pipeline names: pinned, served, selected, and the anchor of a negative margin."""
    status, deployment = pipeline.get("status") or {}, pipeline["spec"].get("deployment") or {}
    named = (
        deployment.get("model"),
        (status.get("servedModel") or {}).get("name"),
        status.get("selectedModel"),
        status.get("anchorModel"),
    )
    return frozenset(str(name) for name in named if name)


def served_model(pipeline: Pipeline) -> str | None:
    """Return the Model that is served now."""
    served = pipeline.status.served_model if pipeline.status else None
    return served.name if served else None


def with_served(pipeline: Pipeline, run: str | None, reason: str, now: str) -> Pipeline:
    """Return the Pipeline serving what it should; nothing changes where it does already."""
    status = pipeline.status or PipelineStatus()
    pinned = pinned_model(pipeline)
    model = pinned or status.selected_model
    by, why = (PINNED_BY, "Pinned") if pinned else (run, reason)
    if model != served_model(pipeline):
        served = None if model is None else ServedModel(name=model, start_time=now, selected_by=by, reason=why)
        status = msgspec.structs.replace(_end_serving(status, now), served_model=served)
        if served is not None and not pinned and reason in BETTER:
            status = msgspec.structs.replace(status, anchor_model=served.name)
    return msgspec.structs.replace(pipeline, status=status)


def without_served(pipeline: Pipeline, now: str) -> Pipeline:
    """Return the Pipeline serving nothing; which Model was selected last is kept, for when it serves again."""
    return msgspec.structs.replace(pipeline, status=_end_serving(pipeline.status or PipelineStatus(), now))


def _end_serving(status: PipelineStatus, now: str) -> PipelineStatus:
    """Return the status in which what was served has become history."""
    before = status.served_model
    if before is None:
        return status
    history = (msgspec.structs.replace(before, end_time=now), *status.served_history)[:HISTORY]
    return msgspec.structs.replace(status, served_model=None, served_history=history)


def anchor_beside_served(pipeline: Pipeline) -> str | None:
    """Return the last Model that was served for being better, or first; None where that is the one served now."""
    anchor = pipeline.status.anchor_model if pipeline.status else None
    return None if anchor == served_model(pipeline) else anchor


def _with_manager(metadata: ObjectMeta, *, is_pinned: bool) -> ObjectMeta:
    managed = tuple(each for each in metadata.managed_fields if each.get("manager") != PIN_MANAGER)
    own = {"manager": PIN_MANAGER, "operation": "Update", "fieldsV1": {"f:spec": {"f:deployment": {"f:model": {}}}}}
    return msgspec.structs.replace(metadata, managed_fields=(*managed, own) if is_pinned else managed)


def _with_model(spec: PipelineSpec, model: str | None) -> PipelineSpec:
    if spec.deployment is None:
        return spec
    return msgspec.structs.replace(spec, deployment=msgspec.structs.replace(spec.deployment, model=model))
