"""`penstock run`: a Pipeline's jobs on this machine, with no cluster."""

from pathlib import Path

import click
import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun, PipelineRunSpec
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.outcome import show_outcome
from penstock.cli.output import show
from penstock.cli.progress import watching
from penstock.cli.run_options import run_options, with_changes, with_options
from penstock.local.execution import execute
from penstock.local.manifests import read_manifests
from penstock.local.mapping import read_mapping
from penstock.local.places import LaptopPlaces
from penstock.local.process import stopping_on_signals
from penstock.local.resources import Resources
from penstock.local.resume import apply_pipeline
from penstock.local.unused import unused_fields


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@run_options
@click.option(
    "--local", type=click.Path(path_type=Path), help="What Secrets, endpoints and volumes are here: local.yaml."
)
@with_settings
def run(
    settings: LaptopSettings,
    file: Path,
    jobs: str | None,
    name: str | None,
    reset_testing: bool,
    parameters: tuple[str, ...],
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
        asked = with_options(given.run, jobs, reset_testing=reset_testing)
        spec = with_changes(asked, name, parameters, overrides)
        places = LaptopPlaces(settings.home, read_mapping(local, folder, settings.home.root), folder)
        pipeline = _pipeline(resources, given.pipeline, spec, folder)
        if given.pipeline is not None:
            tell_unused(settings, given.pipeline)
        with watching(settings.notes) as watcher:
            ended = execute(resources, places, pipeline, spec, watcher)
    show_end(settings, places, ended)


def show_end(settings: LaptopSettings, places: LaptopPlaces, ended: PipelineRun) -> None:
    """Print a run that has ended; `places` are those that it had."""
    if settings.output != "table":
        show(settings, ended)
    else:
        show_outcome(settings, Resources(settings.home), places, ended)


def run_by_name(settings: LaptopSettings, name: str, spec: PipelineRunSpec) -> PipelineRun:
    """Run a Pipeline that the home has already, as a command other than `penstock run` asks."""
    resources = Resources(settings.home)
    pipeline = resources.get(Pipeline, name)
    with stopping_on_signals(), watching(settings.notes) as watcher:
        return execute(resources, LaptopPlaces.of(settings.home, pipeline), pipeline, spec, watcher)


def _pipeline(resources: Resources, manifest: Pipeline | None, spec: PipelineRunSpec, folder: Path) -> Pipeline:
    if manifest is None:
        return resources.get(Pipeline, spec.pipeline_ref.name)
    return apply_pipeline(resources, manifest, str(folder))


def tell_unused(settings: LaptopSettings, manifest: Pipeline) -> None:
    """Say which fields of the manifest a laptop has no use for, where there are some."""
    unused = unused_fields(msgspec.to_builtins(manifest.spec))
    if unused:
        settings.notes.print(f"No use on a laptop: {', '.join(unused)}", markup=False)
