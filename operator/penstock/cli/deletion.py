"""`penstock runs delete`, `models delete`, `pipelines delete`: objects of the home, and what goes with them."""

import click

from penstock.cli.deleting import confirm_deletions, delete_options, show_deletions
from penstock.cli.names import model_names, pipeline_names, run_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.local.deletion import Deleter
from penstock.local.log_lines import parse_any
from penstock.local.process import stopping_on_signals
from penstock.local.resources import Resources


@click.command("delete")
@delete_options(run_names)
@with_settings
def delete_runs(settings: LaptopSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete runs, with their logs, results and files. The Models that they made stay, and the tables.

    NAME is the name of a run, its execution name, or PIPELINE/EXECUTION. A run that is at work is refused.
    """
    _delete(settings, "PipelineRun", names, yes=yes)


@click.command("delete")
@delete_options(model_names)
@with_settings
def delete_models(settings: LaptopSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete Models. Their files stay, unless their deletionPolicy is Delete.

    One that is served, or pinned, is refused.
    """
    _delete(settings, "Model", names, yes=yes)


@click.command("delete")
@delete_options(pipeline_names)
@with_settings
def delete_pipelines(settings: LaptopSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete Pipelines, with what they serve. Their Models, runs, Triggers and tables stay.

    A run that is at work goes on, and ends where it would have deployed its Model.
    """
    _delete(settings, "Pipeline", names, yes=yes)


def _delete(settings: LaptopSettings, kind: str, names: tuple[str, ...], *, yes: bool) -> None:
    deleter = Deleter(Resources(settings.home))
    deletions = deleter.plan(kind, names)
    confirm_deletions(settings, deletions, yes=yes)

    def tell(_part: str, line: bytes) -> None:
        said = parse_any(line)
        if said.level in ("WARNING", "ERROR"):
            settings.notes.print(said.message, markup=False)

    with stopping_on_signals():
        left = deleter.delete(deletions, tell)
    show_deletions(settings, deletions, left)
