"""What a Pipeline lets go of its past: Models, runs that Penstock made, the Jobs and logs of the others."""

from penstock.api.decoding import Unreadable, decode
from penstock.api.model import Model
from penstock.api.run import PipelineRun
from penstock.decide.cleaning.record import EXPIRED, is_record
from penstock.decide.decision import ApiObject, Delete, Patch
from penstock.decide.objects.children import RECORD
from penstock.decide.pipeline.draft import PipelineDraft
from penstock.decide.pipeline.facts import PipelineFacts
from penstock.decide.retention.models import surplus_models
from penstock.decide.retention.runs import expired_runs
from penstock.decide.serving import pinned_model, served_model


def with_retention(facts: PipelineFacts, draft: PipelineDraft) -> PipelineDraft:
    """Return the draft in which what is beyond the Pipeline's `retention` goes."""
    retention, seen = facts.pipeline.spec.retention, facts.observation
    expired = expired_runs(retention.runs, seen.runs, seen.triggers)
    draft = draft.with_writes(*(Delete.of(run) for run in expired.deleted if _is_readable(run, PipelineRun)))
    if expired.applied:
        uids = {run["metadata"]["uid"] for run in expired.applied}
        draft = draft.with_writes(*(_expiry(record) for record in seen.records if _is_due(record, uids)))
    if not seen.is_complete:
        return draft
    # What this very reconcile has chosen is in no Pipeline's status yet.
    status = draft.pipeline.status
    chosen = {served_model(draft.pipeline), pinned_model(draft.pipeline)}
    chosen |= {status.selected_model, status.anchor_model} if status else set()
    surplus = surplus_models(
        facts.name, retention.models, seen.models.of_pipeline(facts.name), seen.pipelines, seen.runs
    )
    gone = (each for each in surplus if each["metadata"]["name"] not in chosen and _is_readable(each, Model))
    return draft.with_writes(*(Delete.of(each) for each in gone))


def _is_readable(there: ApiObject, kind: type[Model] | type[PipelineRun]) -> bool:
    """Return whether it can be known what is about to be deleted."""
    return not isinstance(decode(there, kind), Unreadable)


def _is_due(record: ApiObject, uids: set[str]) -> bool:
    metadata = record["metadata"]
    return (
        is_record(record)
        and metadata["labels"][RECORD] in uids
        and EXPIRED not in (metadata.get("annotations") or {})
        and not metadata.get("deletionTimestamp")
    )


def _expiry(record: ApiObject) -> Patch:
    return Patch.of(record, {"metadata": {"annotations": {EXPIRED: "true"}}})
