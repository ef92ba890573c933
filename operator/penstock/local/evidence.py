"""What a home holds of a run, to be compared with another."""

from dataclasses import replace

from penstock.api.model import Model
from penstock.api.run import PipelineRun
from penstock.decide.commands.run_evidence import RunEvidence, Source, models_named, run_evidence
from penstock.decide.objects.children import results_name
from penstock.decide.ownership import run_owner
from penstock.local.object_files import with_namespace
from penstock.local.objects import Object
from penstock.local.old_homes import results_of_old
from penstock.local.reading import read_revision
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused


def collect_evidence(resources: Resources, run: PipelineRun, state: str) -> RunEvidence:
    """Return what is left of a run in the home; `state` is how far it is, in a word or two."""
    unread: dict[Source, str] = {}
    revision, spec, results = None, None, None
    try:
        revision = next(iter(resources.objects.of_run(run.metadata.uid).own("ControllerRevision")), None)
        old = read_revision(resources, run) if revision is None else None  # of a run of version 0.1
        spec = old.spec if old else None
    except Refused as error:
        unread["snapshot"] = str(error)
    try:
        results = _results(resources, run)
    except Refused as error:
        unread["results"] = str(error)
    found = run_evidence(run, state, revision, results, unread)
    models = {name: model for name in models_named(found) if (model := _model(resources, name)) is not None}
    return replace(found, models=models, spec=found.spec or spec)


def _results(resources: Resources, run: PipelineRun) -> Object | None:
    there = resources.objects.find("PipelineRun", run.metadata.name or "")
    if there is None:
        return None
    name = results_name(run_owner(with_namespace(there)))
    own = resources.objects.of_run(run.metadata.uid)
    return own.find("ConfigMap", name) or results_of_old(resources.home, there)


def _model(resources: Resources, name: str) -> Model | None:
    try:
        return resources.find(Model, name)
    except Refused:
        return None  # its file cannot be read; what the results say of it is told
