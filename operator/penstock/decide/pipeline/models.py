"""What the Models say of the Pipeline that serves them."""

from collections.abc import Iterator

from penstock.api.schema import API_VERSION
from penstock.decide.decision import Patch
from penstock.decide.pipeline.draft import Draft
from penstock.decide.pipeline.facts import Facts
from penstock.decide.serving import served_model


def with_servers(facts: Facts, draft: Draft) -> Draft:
    """Return the draft in which the served Model says that this Pipeline serves it, and no other says so."""
    return draft.writing(*_changed(facts, served_model(draft.pipeline)))


def _changed(facts: Facts, served: str | None) -> Iterator[Patch]:
    for model in facts.observation.models:
        metadata = model["metadata"]
        before = tuple((model.get("status") or {}).get("servedBy") or ())
        others = tuple(name for name in before if name != facts.name)
        after = (*others, facts.name) if metadata["name"] == served else others
        if after != before and len(after) <= 16:
            yield Patch(
                api_version=API_VERSION,
                kind="Model",
                namespace=metadata["namespace"],
                name=metadata["name"],
                uid=metadata["uid"],
                content={"status": {"servedBy": list(after)}},
                resource_version=metadata["resourceVersion"],
                subresource="status",
            )
