"""`penstock runs`, `describe`, `logs`, `report`: what was run, and how it went; and what a Trigger has done."""

from pathlib import Path

import click

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.schema import JOBS
from penstock.api.trigger import Trigger, TriggerStatus
from penstock.cli.cluster.finding import TRIGGER, kind_named
from penstock.cli.deletion import delete_runs
from penstock.cli.names import described_names, pipeline_names, run_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import show, show_list
from penstock.cli.shown_conditions import conditions_table
from penstock.cli.shown_logs import as_json, as_text
from penstock.cli.shown_runs import COLUMNS, facts_of, facts_table, row_of, state_of, steps_table
from penstock.cli.shown_triggers import facts_of as trigger_facts
from penstock.cli.shown_triggers import history_table
from penstock.cli.terminal import echo
from penstock.decide.reasons import INTERRUPTED
from penstock.decide.run_state import is_finished, step_of
from penstock.local.objects import utc_now
from penstock.local.places import LaptopPlaces
from penstock.local.reading import find_run, is_worked_on, log_lines, report_path
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused

_run = click.argument("run", shell_complete=run_names)


@click.group(invoke_without_command=True)
@click.option("--pipeline", shell_complete=pipeline_names, help="Only the runs of this Pipeline.")
@with_settings
def runs(settings: LaptopSettings, pipeline: str | None) -> None:
    """List the runs, oldest first."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    resources = Resources(settings.home)
    if pipeline is not None:
        resources.get(Pipeline, pipeline)
    found = [run for run in resources.list(PipelineRun) if pipeline in (None, run.spec.pipeline_ref.name)]
    show_list(settings, found, COLUMNS, lambda run: row_of(run, state_at_home(resources, run), utc_now()))


runs.add_command(delete_runs)


@click.command()
@click.argument("name", metavar="RUN|trg/NAME", shell_complete=described_names)
@with_settings
def describe(settings: LaptopSettings, name: str) -> None:
    """Show a run: its state, its steps and what each came to; or a Trigger: what became of its last moments, and why.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION.
    """
    resources = Resources(settings.home)
    kind, _, rest = name.partition("/")
    if rest and kind_named(kind) == TRIGGER:
        _describe_trigger(settings, resources.get(Trigger, rest))
        return
    found = find_run(resources, name)
    if settings.output != "table":
        show(settings, found)
        return
    settings.results.print(facts_table(facts_of(found, state_at_home(resources, found))))
    settings.results.print(steps_table(found))


@click.command()
@_run
@click.option("--job", type=click.Choice(JOBS), help="Only the log of this job.")
@with_settings
def logs(settings: LaptopSettings, run: str, job: str | None) -> None:
    """Print the logs of a run's jobs."""
    resources = Resources(settings.home)
    found = find_run(resources, run)
    places = LaptopPlaces.of(settings.home, resources.find(Pipeline, found.spec.pipeline_ref.name))
    told = False
    for name in (job,) if job else (*JOBS, "testing-again"):
        for line in log_lines(resources, places, found, name):
            told = True
            echo(as_json(name, line) if settings.output == "json" else as_text(name, line))
    if not told:
        raise Refused(f"The run {found.metadata.name} has no log{f' of {job}' if job else ''} yet.")


@click.command()
@_run
@click.option("--open", "show_it", is_flag=True, help="Open it in the browser.")
@with_settings
def report(settings: LaptopSettings, run: str, *, show_it: bool) -> None:
    """Print where the report of a run is, an HTML file."""
    found = find_run(Resources(settings.home), run)
    step = step_of(found, "testing")
    if step is None or step.testing is None:
        raise Refused(f"The run {found.metadata.name} has no report: it has tested nothing.")
    path = report_path(step.testing.report)
    if path.startswith("/") and not Path(path).exists():
        raise Refused(f"The report {path} is gone from the storage.")
    echo(path)
    if show_it:
        click.launch(path)


def _describe_trigger(settings: LaptopSettings, found: Trigger) -> None:
    if settings.output != "table":
        show(settings, found)
        return
    conditions = (found.status or TriggerStatus()).conditions
    for each in (facts_table(trigger_facts(found)), history_table(found), conditions_table(conditions)):
        settings.results.print(each)


def state_at_home(resources: Resources, run: PipelineRun) -> str:
    """Return the state of a run in a word or two; nobody works on one that was cut short."""
    return state_of(run) if is_finished(run) or is_worked_on(resources, run) else INTERRUPTED
