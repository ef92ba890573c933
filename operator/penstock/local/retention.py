"""What a laptop keeps of the past: as a cluster does, but for runs, each of which a person started.

Done after a run has ended. Files go before the resource that says where they are, so that whoever is killed in between
finds it again.
"""

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.quantities import read_duration
from penstock.api.run import PipelineReference, PipelineRun, PipelineRunSpec
from penstock.decide.decision import ApiObject
from penstock.decide.retention.models import surplus_models
from penstock.decide.run_places import RunPlaces, child
from penstock.decide.run_state import status_of
from penstock.decide.times import read_time
from penstock.local.beginning import read_revision, runs_of
from penstock.local.places import Places
from penstock.local.reading import places_of
from penstock.local.resources import Resources
from penstock_jobs.cleaning import clean_folder
from penstock_jobs.errors import JobError
from penstock_jobs.specification import Location, OwnedFolder


def tidy(resources: Resources, places: Places, pipeline: str) -> None:
    """Let go what is beyond the Pipeline's retention; what cannot be reached now is tried again after the next run."""
    for model in surplus(resources, pipeline):
        with suppress(JobError):
            _delete_model(resources, model)
    for run in runs_of(resources, pipeline):
        with suppress(JobError):
            _delete_old_logs(resources, places, run)


def surplus(resources: Resources, pipeline: str) -> tuple[Model, ...]:
    """Return the Models that are beyond the Pipeline's `retention.models`, and that nobody refers to."""
    there = resources.get(Pipeline, pipeline)
    found = surplus_models(
        pipeline,
        there.spec.retention.models,
        [_as_json(each) for each in resources.list(Model)],
        [_as_json(each) for each in resources.list(Pipeline)],
        [_as_json(each) for each in runs_of(resources, pipeline)],
    )
    return tuple(resources.get(Model, str(each["metadata"]["name"])) for each in found)


def _delete_model(resources: Resources, model: Model) -> None:
    if model.spec.deletion_policy == "Delete":
        clean_folder(OwnedFolder(_folder_of(resources, model), "manifest.json", digest=model.spec.digest))
    resources.remove(Model, model.metadata.name or "")


def _folder_of(resources: Resources, model: Model) -> Location:
    """Return its folder, reached as its Pipeline writes Models where it is one of those, else as it is read."""
    name = model.metadata.name or ""
    pipeline = resources.find(Pipeline, model.spec.origin.pipeline_ref.name)
    places = Places.of(resources.home, pipeline)
    if pipeline is not None:
        run = PipelineRunSpec(pipeline_ref=PipelineReference(name=model.spec.origin.pipeline_ref.name))
        models = RunPlaces(places, model.spec.origin.pipeline_ref.name, pipeline.spec, run, "").models(write=True)
        if child(models, name).uri == model.spec.uri:
            return child(models, name)
    return Location(
        uri=model.spec.uri,
        endpoint=places.mapped.endpoint(model.spec.endpoint),
        region=model.spec.region,
        credentials=places.credentials(model.spec.credentials, f"The Model {name}, spec.credentials,"),
    )


def _delete_old_logs(resources: Resources, places: Places, run: PipelineRun) -> None:
    finished, retention = status_of(run).completion_time, read_revision(resources, run).spec.logs.retention
    done = resources.home.run(run.metadata.uid or "") / "logs-deleted"
    if finished is None or retention is None or done.exists():
        return
    kept = timedelta(seconds=read_duration(retention, "spec.logs.retention"))
    if _now(resources) < read_time(finished) + kept:
        return
    uid = run.metadata.uid or ""
    clean_folder(OwnedFolder(places_of(resources, places, run).run(), "snapshot.yaml", uid=uid, beneath=("logs/",)))
    for log in (resources.home.run(uid) / "logs").glob("*.log"):
        log.unlink(missing_ok=True)
    done.touch()


def _now(resources: Resources) -> datetime:
    return read_time(resources.now())


def _as_json(resource: msgspec.Struct) -> ApiObject:
    found: ApiObject = msgspec.json.decode(msgspec.json.encode(resource))
    return found
