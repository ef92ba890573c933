"""`penstock watch`: Triggers on a laptop, fired by this process while it runs."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Firing, Trigger, TriggerStatus
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import show
from penstock.cli.progress import watching
from penstock.cli.run import tell_unused
from penstock.cli.shown_conditions import message_of
from penstock.cli.shown_runs import state_of
from penstock.cli.terminal import echo
from penstock.decide.conditions import find
from penstock.decide.run_state import is_finished, status_of
from penstock.decide.times import read_time
from penstock.local.execution import carry_on
from penstock.local.manifests import read_triggers
from penstock.local.places import LaptopPlaces
from penstock.local.process import stopping_on_signals
from penstock.local.reconcile import Turn
from penstock.local.resources import Resources
from penstock.local.watch import Watch, apply_manifests
from penstock_jobs.contract.errors import JobError

GRACE = 1.0  # seconds for a job to stop by itself: what is killed goes on where it was, and Ctrl-C is not to take long


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_settings
def watch(settings: LaptopSettings, files: tuple[Path, ...]) -> None:
    """Fire Triggers while this command runs, and carry their runs out, one after the other.

    FILEs hold Triggers, and their Pipelines, unless the home has those already. A line says what became of each moment,
    and why. Ctrl-C ends it; what is missed until it is started again is made up for as the Trigger says.
    """
    given = read_triggers(files)
    resources = Resources(settings.home)
    with stopping_on_signals():
        names = apply_manifests(resources, given)
        for pipeline, _ in given.pipelines:
            tell_unused(settings, pipeline)
        teller = LineTeller(settings)
        Watch(resources, names, teller, partial(_carry_out, settings, resources, teller)).forever()


class LineTeller:
    """Tells each thing that happens to Triggers in a line of its own, or as a document for programs."""

    def __init__(self, settings: LaptopSettings) -> None:
        self._settings = settings
        # Bars take over what is printed, and write it on standard error, which is right on a terminal alone.
        self._file = None if sys.stdout.isatty() else sys.stdout

    def firing(self, trigger: Trigger, firing: Firing) -> None:
        """Tell what became of a moment or an event."""
        run = f": {firing.run}" if firing.run else ""
        text = f"{clock_of(trigger, firing.time)}  {firing.outcome.lower()}{run}. {firing.message}"
        self._print(trigger, text, msgspec.to_builtins(firing))

    def untold(self, trigger: Trigger, count: int) -> None:
        """Tell of how many more something became."""
        self._print(trigger, f"… and {count:,} more; penstock triggers counts them.", {"more": count})

    def waits(self, trigger: Trigger) -> None:
        """Tell the next moment, or why there is none."""
        status = trigger.status or TriggerStatus()
        moment = status.next_schedule_time
        text = message_of(status.conditions) if moment is None else f"next at {clock_of(trigger, moment)}"
        self._print(trigger, text, {"next": moment, "message": message_of(status.conditions)})

    def ended(self, trigger: Trigger, run: PipelineRun) -> None:
        """Tell how a run ended."""
        status = status_of(run)
        condition, name = find(status.conditions, "Succeeded"), run.metadata.name
        message = condition.message if condition is not None else ""
        text = f"{clock_of(trigger, status.completion_time or '')}  {name} ended: {state_of(run)}. {message}"
        self._print(trigger, text, {"ended": name, "state": state_of(run), "message": message})

    def _print(self, trigger: Trigger, text: str, content: dict[str, object]) -> None:
        document = {"trigger": trigger.metadata.name, **content}
        match self._settings.output:
            case "table":
                echo(f"{trigger.metadata.name}  {text.strip()}", file=self._file)
            case "json":
                echo(json.dumps(document, ensure_ascii=False), file=self._file)
            case "yaml":
                echo("---", file=self._file)
                show(self._settings, document)


def clock_of(trigger: Trigger, moment: str) -> str:
    """Return the moment as a clock of the Trigger's schedule shows it, with how far that is ahead of UTC."""
    schedule = trigger.spec.schedule
    if not moment:
        return ""
    return read_time(moment).astimezone(ZoneInfo(schedule.time_zone if schedule else "Etc/UTC")).isoformat(" ")


def _carry_out(
    settings: LaptopSettings, resources: Resources, teller: LineTeller, name: str, beside: Callable[[], Turn]
) -> None:
    """Work on a run to its end; one that fails ends nothing but itself."""
    run = resources.get(PipelineRun, name)
    places = LaptopPlaces.of(settings.home, resources.find(Pipeline, run.spec.pipeline_ref.name))
    try:
        with watching(settings.notes) as watcher:
            carry_on(resources, places, name, watcher, beside, GRACE)
    except JobError:
        if not is_finished(resources.get(PipelineRun, name)):
            raise
    ended = resources.find(PipelineRun, name)
    trigger = resources.find(Trigger, run.spec.trigger.name) if run.spec.trigger else None
    if ended is not None and trigger is not None and is_finished(ended):
        teller.ended(trigger, ended)
