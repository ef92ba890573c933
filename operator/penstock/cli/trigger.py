"""`penstock trigger`: a run of a Trigger by hand on a laptop, or those of past days, carried out by this command."""

from pathlib import Path

import click

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.cli.names import trigger_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.outcome import show_outcome
from penstock.cli.output import show
from penstock.cli.progress import watching
from penstock.cli.terminal import echo
from penstock.cli.trigger_options import RunRequest, backfill_summary, trigger_options
from penstock.decide.run_state import is_finished
from penstock.local.by_hand import create_runs, runs_at_work, runs_of_trigger, unfinished_like
from penstock.local.execution import carry_on
from penstock.local.manifests import read_triggers
from penstock.local.places import LaptopPlaces
from penstock.local.process import stopping_on_signals
from penstock.local.resources import Resources
from penstock.local.watch import apply_manifests
from penstock_jobs.contract.errors import JobError, Refused

_SUFFIXES = (".yaml", ".yml", ".json")


@click.command()
@click.argument("what", metavar="FILE|NAME", shell_complete=trigger_names)
@trigger_options
@with_settings
def trigger(settings: LaptopSettings, what: str, asked: RunRequest) -> None:
    """Run what a Trigger runs, by hand, now; or with --backfill what it would have run on past days.

    FILE holds a Trigger, and perhaps its Pipeline; NAME is one that the home has. It is recorded as every run of the
    Trigger is. Stopped or killed, the same command takes the run up where it was. Under the concurrencyPolicy Forbid
    none is made while another is live, unless --force says so.
    """
    resources = Resources(settings.home)
    with stopping_on_signals():
        found = _find(resources, what)
        pipeline = resources.find(Pipeline, found.spec.pipeline_ref.name)
        choose = _one if asked.days is None else _many
        _carry_all_out(settings, resources, choose(settings, resources, found, pipeline, asked))


def _find(resources: Resources, what: str) -> Trigger:
    path = Path(what)
    if path.suffix.lower() not in _SUFFIXES and "/" not in what and not path.is_file():
        return resources.get(Trigger, what)
    names = apply_manifests(resources, read_triggers([path]))
    if len(names) > 1:
        raise Refused(f"{path} has several Triggers, and they are in the home now; name one: {', '.join(names)}.")
    return resources.get(Trigger, names[0])


def _one(
    settings: LaptopSettings, resources: Resources, found: Trigger, pipeline: Pipeline | None, asked: RunRequest
) -> list[str]:
    """Return the run to carry out: one that was stopped, or a new one."""
    made = asked.by_hand(found, pipeline, runs_at_work(resources, found), resources.clock())
    left = unfinished_like(resources, made.run)
    if left is not None:
        return [left]
    _remark(settings, made.remarks)
    for patch in made.cancellations:
        resources.objects.patch(patch)
    create_runs(resources, found, [made.run])
    return [str(made.run["metadata"]["name"])]


def _many(
    settings: LaptopSettings, resources: Resources, found: Trigger, pipeline: Pipeline | None, asked: RunRequest
) -> list[str]:
    """Return the runs to carry out: the new ones, and those that were stopped."""
    own = runs_of_trigger(resources, found)
    made = asked.backfill(found, pipeline, own, resources.clock(), in_turn=False)
    _remark(settings, (*made.remarks, backfill_summary(len(made.runs), made)))
    create_runs(resources, found, made.runs)
    return [name for name in made.names if not is_finished(resources.get(PipelineRun, name))]


def _carry_all_out(settings: LaptopSettings, resources: Resources, names: list[str]) -> None:
    """Carry the runs out, one after the other; of several, one that fails keeps none of the others back."""
    failed = []
    for name in names:
        try:
            _carry_out(settings, resources, name)
        except JobError as error:
            if len(names) == 1 or not is_finished(resources.get(PipelineRun, name)):
                raise
            failed.append(name)
            echo(f"penstock: {error}", err=True)
    if failed:
        raise Refused(f"{len(failed):,} of {len(names):,} runs failed: {', '.join(failed)}.")


def _carry_out(settings: LaptopSettings, resources: Resources, name: str) -> None:
    run = resources.get(PipelineRun, name)
    places = LaptopPlaces.of(settings.home, resources.find(Pipeline, run.spec.pipeline_ref.name))
    with watching(settings.notes) as watcher:
        ended = carry_on(resources, places, name, watcher)
    if ended is None:
        settings.notes.print(f"Another command works on {name}, or has ended it.", markup=False)
    elif settings.output != "table":
        show(settings, ended)
    else:
        show_outcome(settings, resources, places, ended)


def _remark(settings: LaptopSettings, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        settings.notes.print(sentence, markup=False)
