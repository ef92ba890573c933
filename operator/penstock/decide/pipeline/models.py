"""What the Models say of the Pipeline that serves them."""

from collections.abc import Iterator

from penstock.decide.decision import ApiObject, Patch
from penstock.decide.observed.listers import servers_of
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.serving import served_model


def with_servers(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which the served Model says that this Pipeline serves it, and no other says so."""
    return draft.with_writes(*_patches(facts, served_model(draft.pipeline)))


def _patches(facts: PipelineFacts, served: str | None) -> Iterator[Patch]:
    for model in _models_to_check(facts, served):
        metadata, before = model["metadata"], servers_of(model)
        after = tuple(name for name in before if name != facts.name)
        if metadata["name"] == served:
            # Its place stays: several that serve one Model would put themselves behind each other for ever.
            after = before if facts.name in before else (*before, facts.name)
        if after != before and len(after) <= 16:
            yield Patch.status_of(model, {"servedBy": list(after)})


def _models_to_check(facts: PipelineFacts, served: str | None) -> Iterator[ApiObject]:
    """Yield the Model that is served, and those that say that they are."""
    now = None if served is None else facts.observation.models.get(served)
    if now is not None:
        yield now
    yield from (each for each in facts.observation.models.of_server(facts.name) if each["metadata"]["name"] != served)
