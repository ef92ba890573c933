"""`penstock datasets`: the tables of each Pipeline; a new testing set, or points removed, when a person asks."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import JobRequest, PipelineReference, PipelineRunSpec
from penstock.cli.names import pipeline_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import rows, show, show_all, table
from penstock.cli.run import run_by_name
from penstock.cli.terminal import confirm, echo
from penstock.decide.commands.new_run import reset_word
from penstock.decide.run_state import step_of
from penstock.local.locks import hold_lock
from penstock.local.places import LaptopPlaces
from penstock.local.process import stopping_on_signals
from penstock.local.reading import runs_of
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused


@click.group(invoke_without_command=True)
@with_settings
def datasets(settings: LaptopSettings) -> None:
    """List the tables of each Pipeline, as the last dataset step left them."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    resources = Resources(settings.home)
    found = []
    for pipeline in resources.list(Pipeline):
        name = pipeline.metadata.name or ""
        steps = [
            step for run in runs_of(resources, name) if (step := step_of(run, "dataset")) and step.state == "Succeeded"
        ]
        if steps:
            last = max(steps, key=lambda step: step.completion_time or "")
            assert last.dataset is not None
            found.append((name, last.dataset))
    if settings.output != "table":
        show_all(settings, [{"pipeline": name, **msgspec.to_builtins(made)} for name, made in found])
        return
    made = table("pipeline", "table", ">rows", ">version", "testing set", "digest")
    content = [
        (
            name,
            each.name,
            f"{each.rows:,}",
            each.version,
            f"epoch {summary.epoch}" if each.name == "testing" else "",
            each.digest,
        )
        for name, summary in found
        for each in summary.tables
    ]
    settings.results.print(rows(made, content))


@datasets.command()
@click.argument("pipeline", shell_complete=pipeline_names)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def reset(settings: LaptopSettings, pipeline: str, *, yes: bool) -> None:
    """Begin a new testing set, of a new draw. The old one stays readable.

    Models that were trained before have seen points of the new one: they are not compared on those.
    """
    Resources(settings.home).get(Pipeline, pipeline)
    if not yes:
        confirm(f"Begin a new testing set for {pipeline}?")
    spec = PipelineRunSpec(
        pipeline_ref=PipelineReference(name=pipeline),
        execution_name="reset",
        jobs=(JobRequest(name="dataset", reset_testing=reset_word(datetime.now(UTC))),),
    )
    ended = run_by_name(settings, pipeline, spec)
    step = step_of(ended, "dataset")
    assert step is not None
    assert step.dataset is not None
    if settings.output != "table":
        show(settings, ended)
    else:
        echo(f"{pipeline} has a new testing set, epoch {step.dataset.epoch}, of {step.dataset.new:,} points.")


@datasets.command()
@click.argument("pipeline", shell_complete=pipeline_names)
@click.argument("keys", nargs=-1)
@click.option("--file", type=click.Path(path_type=Path), help="A CSV file with the key columns, a point a line.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def forget(settings: LaptopSettings, pipeline: str, keys: tuple[str, ...], file: Path | None, *, yes: bool) -> None:
    """Remove points from all tables, for good.

    KEYS name the points, each as COLUMN=VALUE, or COLUMN=VALUE,COLUMN=VALUE where several columns make the key. Remove
    them from the inputs first: what is still there comes back with the next generation. Models and reports made before
    are left as they are: a Model keeps some rows of its validation set as samples, and has learned from all of them.
    """
    from penstock_jobs.dataset.forgetting import forget as forget_points

    resources = Resources(settings.home)
    found = resources.get(Pipeline, pipeline)
    points = [*(_point(key) for key in keys), *(_points_of(file) if file else [])]
    if not points:
        raise Refused("No point is named; give its key, as customer=17, or a CSV file with --file.")
    if not yes:
        counted = "1 point" if len(points) == 1 else f"{len(points):,} points"
        confirm(f"Remove {counted} from all tables of {pipeline}, for good?")
    places = LaptopPlaces.of(settings.home, found)
    with stopping_on_signals(), hold_lock(settings.home.lock(f"dataset-{pipeline}")):
        gone = forget_points(places.storage(found.spec.storage, pipeline, "spec.storage", write=True), points)
    if settings.output != "table":
        show(settings, gone)
    else:
        counted = ", ".join(f"{count:,} of {name}" for name, count in gone.rows.items())
        echo(f"Rows removed: {counted}; {gone.unknown:,} of the keys were in no table.")


def _point(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name and separator for name, separator, _ in pairs):
        raise Refused(f"{text} is no key: write COLUMN=VALUE, with a comma between several columns.")
    return {name: value for name, _, value in pairs}


def _points_of(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{file} cannot be read as CSV: {error}.") from error
