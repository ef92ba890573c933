"""`penstock rerun`: a run once more, from one of its jobs on, on this machine."""

import click

from penstock.api.pipeline import Pipeline
from penstock.api.schema import JobName
from penstock.cli.names import run_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.run import run_by_name, show_end
from penstock.cli.run_options import rerun_options, with_changes
from penstock.decide.commands.rerun import rerun as ask_again
from penstock.local.places import LaptopPlaces
from penstock.local.reading import find_run
from penstock.local.resources import Resources


@click.command()
@click.argument("run", shell_complete=run_names)
@rerun_options
@with_settings
def rerun(
    settings: LaptopSettings,
    run: str,
    first: JobName | None,
    last: JobName | None,
    debug: bool,
    name: str | None,
    parameters: tuple[str, ...],
    overrides: tuple[str, ...],
) -> None:
    """Do a run once more, as it was: from the job that failed, or from the one that you name.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION. The jobs before are not done again: their
    results are taken over. What was edited in the manifest since is not in it; --set and --param change this one run.
    """
    resources = Resources(settings.home)
    repeated = find_run(resources, run)
    spec = with_changes(ask_again(repeated, first, last, debug=debug), name, parameters, overrides)
    ended = run_by_name(settings, spec.pipeline_ref.name, spec)
    pipeline = resources.find(Pipeline, spec.pipeline_ref.name)
    show_end(settings, LaptopPlaces.of(settings.home, pipeline), ended)
