"""What each Job of a run is asked to do: `penstock.decide.job_specification`, from what is known of the run."""

import msgspec

from penstock.api.decoding import Unreadable, decode, require
from penstock.api.model import Model
from penstock.decide import job_specification as asking
from penstock.decide.model_resource import reference_to
from penstock.decide.objects.revision import Snapshot
from penstock.decide.objects.sharing import share_out
from penstock.decide.objects.source import source_job
from penstock.decide.run.draft import RunDraft
from penstock.decide.run.facts import RunFacts
from penstock.decide.run.plan import RETEST, SOURCE, PlannedPart
from penstock.decide.run_places import RunPlaces, child
from penstock.decide.run_state import status_of
from penstock.decide.serving import anchor_beside_served, served_model
from penstock.decide.testing_uses import count_uses, merge_uses, use_of_epoch
from penstock_jobs.contract.gate import asks_for_anchor
from penstock_jobs.contract.result import DatasetResult, ModelReference, SourceResult, TrainingResult
from penstock_jobs.contract.specification import JobSpecification, Location, TestingJob

FOR_GOOD = 1000 * 365 * 86400.0  # seconds


def specification_of(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, part: PlannedPart) -> JobSpecification:
    """Return what the Job of this part is asked to do.

    Raises:
        Refused: the Pipeline asks for what a cluster, or this version, does not have.
    """
    execution = status_of(draft.run).execution_name or ""
    fetched = draft.result(SOURCE, SourceResult) if SOURCE in part.needs else None
    places = facts.places(snapshot, execution, fetched)
    match part.name:
        case "dataset":
            return _dataset(facts, snapshot, places)
        case "training":
            return _training(facts, draft, snapshot, places)
        case "testing":
            trained = draft.result("training", TrainingResult)
            return _testing(facts, draft, snapshot, places, trained.models)
    if part.name == RETEST:
        return _retest(facts, draft, snapshot, places)
    return _source(facts, draft, snapshot, places)


def find_model(facts: RunFacts, name: str) -> Model | None:
    """Return the Model of that name, as it is now.

    Raises:
        CannotBeRead: it is there, and this version of the operator cannot read it.
    """
    found = facts.observation.models.get(name)
    return None if found is None else require(found, Model)


def reference_to_served_model(facts: RunFacts) -> ModelReference | None:
    """Return the Model that the Pipeline serves now, where it does and the Model is still there."""
    name = None if facts.pipeline is None else served_model(facts.pipeline)
    found = None if name is None else find_model(facts, name)
    return None if found is None else reference_to(found)


def _source(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, places: RunPlaces) -> JobSpecification:
    spec, reach, commit = snapshot.pipeline.spec, facts.reach(snapshot), status_of(draft.run).commit
    if commit is None and snapshot.repetition is not None:
        commit = snapshot.repetition.commit
    return source_job(spec, facts.job_run(snapshot), facts.run.spec, reach, places.run(), commit)


def _dataset(facts: RunFacts, snapshot: Snapshot, places: RunPlaces) -> JobSpecification:
    models = facts.observation.models.of_storage(places.tables(write=True).uri)
    read = [decode(each, Model) for each in models]
    known = [each for each in read if not isinstance(each, Unreadable)]
    spec = snapshot.pipeline.spec
    job = asking.dataset_job(
        spec, facts.job_run(snapshot), places, facts.request("dataset"), known, snapshot.parameters
    )
    if len(known) < len(read):
        job = msgspec.structs.replace(job, keep_versions=FOR_GOOD)  # nobody knows which ones the others were made of
    if snapshot.repetition is not None:
        job = msgspec.structs.replace(job, repeated=snapshot.repetition.tables)
    return share_out(job, asking.settings_of(spec, "dataset"))


def _training(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, places: RunPlaces) -> JobSpecification:
    settings = asking.settings_of(snapshot.pipeline.spec, "training")
    job = asking.training_job(
        snapshot.pipeline.spec,
        facts.job_run(snapshot),
        places,
        facts.request("training"),
        draft.result("dataset", DatasetResult),
        facts.observation.site.processors(settings),
    )
    return share_out(job, settings)


def _retest(facts: RunFacts, draft: RunDraft, snapshot: Snapshot, places: RunPlaces) -> JobSpecification:
    """Return the specification of the test of this run's challenger beside the Model that is served by now."""
    trained = draft.result("training", TrainingResult)
    served = reference_to_served_model(facts)
    models = tuple(each for each in trained.models if served is None or each.name != served.name)
    job = _testing(facts, draft, snapshot, places, models)
    beneath: Location = child(places.run(), RETEST)
    return msgspec.structs.replace(job, run_storage=beneath)


def _testing(
    facts: RunFacts, draft: RunDraft, snapshot: Snapshot, places: RunPlaces, models: tuple[ModelReference, ...]
) -> TestingJob:
    made = draft.result("dataset", DatasetResult)
    return asking.testing_job(
        snapshot.pipeline.spec,
        facts.job_run(snapshot),
        places,
        facts.request("testing"),
        made,
        draft.result("training", TrainingResult),
        models,
        _past_decisions(facts, snapshot, made),
        facts.run.metadata.creation_timestamp,
    )


def _past_decisions(facts: RunFacts, snapshot: Snapshot, made: DatasetResult) -> asking.PastDecisions:
    selection = asking.selection_of(snapshot.pipeline.spec)
    pipeline, uses = facts.pipeline, count_uses(facts.observation.runs.testing_sets())
    if pipeline is not None and pipeline.status is not None:
        uses = merge_uses(pipeline.status.testing_uses, uses)  # runs that are deleted have decided all the same
    use = use_of_epoch(uses, made.epoch)
    asked = selection is not None and asks_for_anchor(selection) and pipeline is not None
    name = anchor_beside_served(pipeline) if asked and pipeline is not None else None
    anchor = None if name is None else find_model(facts, name)
    return asking.PastDecisions(
        served=reference_to_served_model(facts),
        anchor=None if anchor is None else reference_to(anchor),
        anchor_name=name,
        decisions=use.decisions if use else 0,
        decided_generation=use.generation if use else None,
    )
