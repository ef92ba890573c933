"""`penstock run`: a Pipeline's jobs on this machine, with no cluster."""

from pathlib import Path

import click
import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import JobRequest, PipelineRun, PipelineRunSpec
from penstock.api.schema import JOBS, JobName
from penstock.cli.options import Settings, with_settings
from penstock.cli.outcome import show_outcome
from penstock.cli.output import show
from penstock.cli.overriding import with_set
from penstock.cli.progress import watching
from penstock.local.beginning import apply_pipeline
from penstock.local.deploying import reconcile
from penstock.local.executing import execute
from penstock.local.manifests import read_manifests
from penstock.local.mapping import read_mapping
from penstock.local.places import Places
from penstock.local.process import stopping_on_signals
from penstock.local.resources import Resources
from penstock.local.unused import unused_fields
from penstock_jobs.errors import Refused


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--jobs", help="Which of dataset, training, testing, deployment, with commas; all without it.")
@click.option("--name", help="A name for the run; where it is taken it gets an index, as test_2.")
@click.option(
    "--reset-testing", is_flag=True, help="Begin a new testing set, of a new draw; the old one stays readable."
)
@click.option(
    "--set",
    "overrides",
    metavar="PATH=VALUE",
    multiple=True,
    help="A field of the Pipeline that has another value in this run, as training.keep=1; an item of a list by its "
    "name, as training.algorithms.forest.parameters.max_depth.values=[4,8]. As often as you like.",
)
@click.option(
    "--local", type=click.Path(path_type=Path), help="What Secrets, endpoints and volumes are here: local.yaml."
)
@with_settings
def run(
    settings: Settings,
    file: Path,
    jobs: str | None,
    name: str | None,
    reset_testing: bool,
    overrides: tuple[str, ...],
    local: Path | None,
) -> None:
    """Run the jobs of a Pipeline, in order: dataset, training, testing, deployment.

    FILE is a manifest, as for kubectl apply. Stopped or killed, the same command takes the run up where it was.
    """
    with stopping_on_signals():
        given = read_manifests(file)
        resources = Resources(settings.home)
        folder = file.absolute().parent
        spec = with_set(_asked(given.run, jobs, name, reset_testing=reset_testing), overrides)
        places = Places(settings.home, read_mapping(local, folder, settings.home.root), folder)
        pipeline = _pipeline(resources, given.pipeline, spec, folder)
        if given.pipeline is not None:
            _tell_unused(settings, given.pipeline)
        with watching(settings.notes) as watcher:
            ended = execute(resources, places, pipeline, spec, watcher)
    if settings.output != "table":
        show(settings, ended)
    else:
        show_outcome(settings, resources, places, ended)


def run_kept(settings: Settings, name: str, spec: PipelineRunSpec) -> PipelineRun:
    """Run a Pipeline that the home has already, as a command other than `penstock run` asks."""
    resources = Resources(settings.home)
    pipeline = resources.get(Pipeline, name)
    with stopping_on_signals(), watching(settings.notes) as watcher:
        return execute(resources, Places.of(settings.home, pipeline), pipeline, spec, watcher)


def _pipeline(resources: Resources, manifest: Pipeline | None, spec: PipelineRunSpec, folder: Path) -> Pipeline:
    if manifest is None:
        return resources.get(Pipeline, spec.pipeline_ref.name)
    pipeline = apply_pipeline(resources, manifest, str(folder))
    return reconcile(resources, pipeline.metadata.name or "")


def _asked(spec: PipelineRunSpec, jobs: str | None, name: str | None, *, reset_testing: bool) -> PipelineRunSpec:
    if jobs is not None:
        given = {request.name: request for request in spec.jobs}
        names = [word.strip() for word in jobs.split(",") if word.strip()]
        for word in names:
            if word not in JOBS:
                raise Refused(f"--jobs names {word}, which is none of {', '.join(JOBS)}.")
        if not names:
            raise Refused(f"--jobs names no job; name some of {', '.join(JOBS)}, or leave it out for all.")
        chosen = tuple(given.get(job, JobRequest(name=job)) for job in JOBS if job in names)
        spec = msgspec.structs.replace(spec, jobs=chosen)
    if name is not None:
        spec = msgspec.structs.replace(spec, execution_name=_checked(name))
    return _with_reset(spec) if reset_testing else spec


def _with_reset(spec: PipelineRunSpec) -> PipelineRunSpec:
    asked: tuple[JobName, ...] = tuple(request.name for request in spec.jobs) or JOBS
    if "dataset" not in asked:
        raise Refused("--reset-testing is for the job dataset, which --jobs leaves out; add it.")
    given = {request.name: request for request in spec.jobs}
    requests = {job: given.get(job, JobRequest(name=job)) for job in asked}
    requests["dataset"] = msgspec.structs.replace(requests["dataset"], reset_testing=True)
    return msgspec.structs.replace(spec, jobs=tuple(requests.values()))


def _checked(name: str) -> str:
    try:
        return (
            msgspec.convert({"pipelineRef": {"name": "any"}, "executionName": name}, PipelineRunSpec).execution_name
            or ""
        )
    except msgspec.ValidationError as error:
        raise Refused(
            f"--name is {name!r}: a name of a run has letters, digits, -, _ and . only, and at most 52 of them."
        ) from error


def _tell_unused(settings: Settings, manifest: Pipeline) -> None:
    unused = unused_fields(msgspec.to_builtins(manifest.spec))
    if unused:
        settings.notes.print(f"No use on a laptop: {', '.join(unused)}", markup=False)
