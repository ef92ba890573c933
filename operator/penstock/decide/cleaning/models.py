"""`decide`: one Model. It says that it can be read; whether its files go with it is recorded while it is there."""

from dataclasses import replace
from datetime import datetime

import msgspec

from penstock.api.decoding import Unreadable, decode, require
from penstock.api.jobs import JobSettings
from penstock.api.model import Model, ModelStatus
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineReference, PipelineRunSpec
from penstock.decide.cleaning.observation import ModelObservation
from penstock.decide.cleaning.record import access_settings, record_object, record_of_model
from penstock.decide.conditions import make_condition, with_kstatus
from penstock.decide.decision import Create, Decision, Delete
from penstock.decide.messages import model_saved
from penstock.decide.objects.children import Owner
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.reasons import SAVED
from penstock.decide.run_places import RunPlaces, child
from penstock.decide.status import leave_alone
from penstock.decide.times import write_time
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location


def decide(observation: ModelObservation, now: datetime) -> Decision:
    """Return what is to be done for the Model now."""
    there, record = observation.model, observation.record
    if there["metadata"].get("deletionTimestamp") or observation.refused is not None:
        return Decision()
    model = decode(there, Model)
    decision = leave_alone(there, model, now) if isinstance(model, Unreadable) else Decision(status=_ready(model, now))
    if there["spec"].get("deletionPolicy") != "Delete":
        # Also where it says what this version does not know: then the files stay.
        return replace(decision, writes=() if record is None else (Delete.of(record),))
    if isinstance(model, Unreadable) or record is not None or observation.identity is None:
        return decision  # what cannot be read is not deleted
    metadata, pipeline = model.metadata, model.spec.origin.pipeline_ref.name
    owner = Owner(metadata.namespace or "", metadata.name or "", metadata.uid or "", pipeline, kind="Model")
    try:
        location, settings = _location_and_settings(observation, model, owner)
    except Refused as refused:  # where its files are said to be, nobody cleans
        return Decision(warnings=(str(refused),))
    made = record_of_model(owner, model, location, settings, observation.identity)
    return replace(decision, writes=(Create(record_object(owner, made)),))


def _ready(model: Model, now: datetime) -> ModelStatus:
    status, generation = model.status or ModelStatus(), model.metadata.generation
    new = make_condition("Ready", "True", SAVED, model_saved(), now=write_time(now), generation=generation)
    conditions = with_kstatus(status.conditions, new, stalled=False)
    return msgspec.structs.replace(status, conditions=conditions, observed_generation=generation)


def _location_and_settings(observation: ModelObservation, model: Model, owner: Owner) -> tuple[Location, JobSettings]:
    """Return how its folder is written: as its Pipeline writes Models where it is one of those, else as it is read.

    The credentials of a Pipeline are for its own folder: a Model that somebody made by hand does not reach beyond.
    """
    site, settings = observation.site, observation.settings
    reach = site.reach(owner.namespace, settings.storage)
    own = reach.model(model)
    try:
        if observation.pipeline is None:
            return own, JobSettings()
        pipeline = require(observation.pipeline, Pipeline)
        spec = with_profiles(pipeline.spec, (), settings.profiles, settings.defaults)
        run = PipelineRunSpec(pipeline_ref=PipelineReference(name=owner.pipeline))
        models = RunPlaces(reach, owner.pipeline, spec, run, "").models(write=True)
    except Refused:
        return own, JobSettings()
    folder = child(models, owner.name)
    same = (folder.uri, folder.endpoint) == (own.uri, own.endpoint)
    return (folder, access_settings(spec, "dataset")) if same else (own, JobSettings())
