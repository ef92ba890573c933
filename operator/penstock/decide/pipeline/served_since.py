"""Since when a Model is served that was selected: written down with the Model too, since a status can be lost.

A Model comes back with a backup, and so does what is written there; the Service, which is asked before, does not come
to an empty cluster. What a person pins is in the manifest, and is not written down here: who takes a pin away goes back
to the Model that was selected last.
"""

from penstock.api.pipeline import ServedModel
from penstock.decide.decision import ApiObject, Patch
from penstock.decide.observed.listers import SERVED_SINCE, serving_times
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.serving import HISTORY, pinned_model


def with_served_since(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which the Model that is served says since when this Pipeline does."""
    served = draft.pipeline.status.served_model if draft.pipeline.status else None
    model = None if served is None else facts.observation.models.get(served.name)
    if served is None or model is None or pinned_model(draft.pipeline) is not None:
        return draft
    if _since(facts, model) == served.start_time:
        return draft
    return draft.with_writes(
        Patch.of(model, {"metadata": {"annotations": {SERVED_SINCE + facts.name: served.start_time}}})
    )


def with_found_history(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft with the Models that were served before this one, where the status has lost them.

    What was pinned is not among them, nor which run selected each.
    """
    status = draft.pipeline.status
    served = status.served_model if status else None
    if status is None or served is None or status.served_history:
        return draft
    models = facts.observation.models.served_once(facts.name)
    found = sorted((_since(facts, model), str(model["metadata"]["name"])) for model in models)
    history, end = [], served.start_time
    for since, name in reversed(found):
        if name != served.name and since < end:
            history.append(ServedModel(name=name, start_time=since, end_time=end))
            end = since
    return draft.status(served_history=tuple(history[:HISTORY])) if history else draft


def last_selected(facts: PipelineFacts) -> str | None:
    """Return the Model of the Pipeline that was selected and served last, as the Models have it."""
    models = facts.observation.models.served_once(facts.name)
    found = ((_since(facts, model), str(model["metadata"]["name"])) for model in models)
    return max(found, default=(None, None))[1]


def start_time(facts: PipelineFacts, name: str) -> str:
    """Return since when the Model is served that is about to be: now, unless it says so itself already.

    It does where the status was lost, and where the operator died between the annotation and the status.
    """
    model, status = facts.observation.models.get(name), facts.status
    since = "" if model is None else _since(facts, model)
    known = (status.served_model, *status.served_history)
    return since if since > max((each.start_time for each in known if each is not None), default="") else facts.time


def _since(facts: PipelineFacts, model: ApiObject) -> str:
    return serving_times(model).get(facts.name, "")
