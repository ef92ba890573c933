"""The anchor: the last Model that was served for being better than the one before, or first.

A negative margin is measured against it too, so that many small losses do not add up. `decide.serving.with_served`
moves it, as it records who is served; here it is also written down with the Model itself, in an annotation, since a
status can be lost with a backup. Where nobody knows it any more, it is the Model that is served.
"""

from collections.abc import Iterator

from penstock.api.schema import GROUP
from penstock.decide.commands.rename import RENAMED_FROM
from penstock.decide.decision import ApiObject, Patch
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.serving import pinned_model, served_model

ANCHOR_SINCE = f"{GROUP}/anchor-since"  # an annotation of a Model: since when it is, or was, the anchor


def with_anchor(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft whose status names the anchor, once a Model is served, and in which that Model says so too."""
    status, served = draft.pipeline.status, served_model(draft.pipeline)
    if status is None or served is None or (status.anchor_model is None and pinned_model(draft.pipeline)):
        return draft  # whom a person chose was not chosen for being better
    # Its Models are walked only where the status does not know.
    anchor = status.anchor_model or _last_anchor(facts) or served_model(facts.pipeline) or served
    draft = draft.status(anchor_model=anchor)
    model = facts.observation.models.get(anchor)
    if model is None or (anchor == facts.status.anchor_model and _since(model)):
        return draft
    # A status that was never written, since the operator died before, must not make the same annotation anew for ever.
    if anchor == _last_anchor(facts):
        return draft
    return draft.with_writes(_annotation(model, facts.time))


def _last_anchor(facts: PipelineFacts) -> str | None:
    found = ((since, str(model["metadata"]["name"])) for model in _own_models(facts) if (since := _since(model)))
    return max(found, default=(None, None))[1]


def _own_models(facts: PipelineFacts) -> Iterator[ApiObject]:
    """Yield the Models of the Pipeline, and of the one that it is a copy of."""
    renamed_from = facts.pipeline.metadata.annotations.get(RENAMED_FROM, "").partition("/")[0]
    for name in (facts.name, renamed_from):
        if name:
            yield from facts.observation.models.of_pipeline(name)


def _since(model: ApiObject) -> str:
    return str((model["metadata"].get("annotations") or {}).get(ANCHOR_SINCE) or "")


def _annotation(model: ApiObject, now: str) -> Patch:
    return Patch.of(model, {"metadata": {"annotations": {ANCHOR_SINCE: now}}})
