"""What a part has come to, recorded before anything is built on it: Models, scores, the results of the run.

In this order, so that whoever is killed in between does all of it again and changes nothing: the Models (made once, by
name), the scores in their status, and last the ConfigMap, which says that all of it is done.
"""

from dataclasses import replace
from typing import Any

import msgspec

from penstock.api.decoding import Unreadable, decode
from penstock.api.model import Model, ModelStatus
from penstock.api.run import StepTries
from penstock.decide.decision import ApiObject, Apply, Create, Patch, Write
from penstock.decide.model_resource import model_resource, with_testing_scores
from penstock.decide.objects.children import as_json
from penstock.decide.objects.images import image_of_models
from penstock.decide.objects.model import model
from penstock.decide.objects.results import results
from penstock.decide.objects.revision import Snapshot
from penstock.decide.observed.results import PodResult
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import RETEST, PlannedPart
from penstock.decide.run_places import secret_for
from penstock.decide.run_state import step_of
from penstock.decide.summaries import dataset_summary, testing_summary, training_summary
from penstock_jobs.contract.result import DatasetResult, JobResult, SourceResult, TestingResult, TrainingResult
from penstock_jobs.contract.termination_message import TerminationMessage
from penstock_jobs.contract.unknown_fields import with_unknown_fields


def record_results(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart, told: PodResult
) -> RunDraft:
    """Return the draft in which this part has come to this."""
    known = {**draft.results, part.name: TerminationMessage(result=told.result)}
    draft = draft.with_writes(*_models(facts, draft, snapshot, told), *_scores(facts, told))
    made = results(facts.owner, known, draft.images, facts.observation.results)
    return replace(draft.with_writes(Apply(made)), results=known)


def summarise_step(draft: RunDraft, part: PlannedPart, started: str | None, finished: str | None, now: str) -> RunDraft:
    """Return the draft whose step says what its part, the result of which is known, has come to."""
    step = step_of(draft.run, part.step)
    draft = draft.about(part.step, tries=_retained_tries(part, step.tries if step else None))
    begun = started or (step.start_time if step else None) or now
    found = draft.results[part.name].result
    if isinstance(found, SourceResult):
        return draft.status(commit=found.commit or None)  # a folder that is in no repository has none
    if part.name == RETEST or not isinstance(found, DatasetResult | TrainingResult | TestingResult):
        return draft
    return draft.step(part.step, "Succeeded", start_time=begun, completion_time=finished or now, **figures_of(found))


def figures_of(found: JobResult | None) -> dict[str, Any]:
    """Return the fields of a step that say what its job came to."""
    match found:
        case DatasetResult():
            return {"dataset": dataset_summary(found)}
        case TrainingResult():
            return {"training": training_summary(found)}
        case TestingResult():
            return {"testing": testing_summary(found)}
    return {}


def _retained_tries(part: PlannedPart, tries: StepTries | None) -> StepTries | None:
    """Return what is kept of the tries once their work is done: nothing where the first of them did it."""
    if tries is None or tries.part != part.name:
        return tries
    once = tries.number == 1 and not tries.interrupted
    return None if once else msgspec.structs.replace(tries, start_time=None)


def _models(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, told: PodResult) -> tuple[Write, ...]:
    if not isinstance(told.result, TrainingResult):
        return ()
    storage = snapshot.pipeline.spec.models.storage or snapshot.pipeline.spec.storage or snapshot.storage
    image = image_of_models(snapshot.pipeline.spec, snapshot.images)
    manifests = {manifest.name: manifest for manifest in told.manifests}
    return tuple(
        Create(
            model(
                facts.owner,
                model_resource(
                    reference,
                    manifests[reference.name],
                    run=facts.name,
                    image=draft.images.get(image, image),
                    pipeline_uid=snapshot.pipeline.metadata.uid,
                    endpoint=storage.s3.endpoint if storage and storage.s3 else None,
                    region=storage.s3.region if storage and storage.s3 else None,
                    credentials=secret_for(storage, write=False) if storage else None,
                    deletion_policy=snapshot.pipeline.spec.models.deletion_policy,
                ),
            )
        )
        for reference in told.result.models
    )


def _scores(facts: RunFacts, told: PodResult) -> tuple[Write, ...]:
    """Return the writes by which each Model that was tested, and is still there, says its scores."""
    if not isinstance(told.result, TestingResult):
        return ()
    writes = []
    for name in sorted({each.model for each in told.result.models}):
        there = facts.observation.models.get(name)
        before = None if there is None else decode(there, Model)
        if there is None or before is None or isinstance(before, Unreadable):
            continue  # its own reconcile says why it cannot be read; the results have the scores
        after = with_testing_scores(before, told.result)
        if after != before:
            writes.append(_score_patch(there, after))
    return tuple(writes)


def _score_patch(there: ApiObject, model: Model) -> Patch:
    status = with_unknown_fields(as_json(model.status or ModelStatus()), there.get("status"), ModelStatus)
    return Patch.status_of(there, {"testing": status["testing"]})
