"""`penstock runs`, `describe`, `logs`, `report`: what was run, and how it went."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path

import click
from rich.text import Text

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun, Step
from penstock.api.schema import JOBS
from penstock.cli.names import pipeline_names, run_names
from penstock.cli.options import Settings, with_settings
from penstock.cli.output import age, rows, show, show_list, shown_score, table
from penstock.decide.conditions import find
from penstock.decide.reasons import INTERRUPTED
from penstock.decide.run_state import is_finished, status_of, step_of
from penstock.local.beginning import is_at_work
from penstock.local.log_lines import parse
from penstock.local.places import Places
from penstock.local.reading import find_run, log_lines, report_path
from penstock.local.resources import Resources, utc_now
from penstock_jobs.errors import Refused

_run = click.argument("run", shell_complete=run_names)


@click.command()
@click.option("--pipeline", shell_complete=pipeline_names, help="Only the runs of this Pipeline.")
@with_settings
def runs(settings: Settings, pipeline: str | None) -> None:
    """List the runs, oldest first."""
    resources = Resources(settings.home)
    if pipeline is not None:
        resources.get(Pipeline, pipeline)
    found = [run for run in resources.list(PipelineRun) if pipeline in (None, run.spec.pipeline_ref.name)]
    columns = ("name", "pipeline", "execution", "state", "steps", ">took", ">age")
    show_list(settings, found, columns, partial(_row, resources))


@click.command()
@_run
@with_settings
def describe(settings: Settings, run: str) -> None:
    """Show a run: its state, its steps and what each came to.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION.
    """
    resources = Resources(settings.home)
    found = find_run(resources, run)
    if settings.output != "table":
        show(settings, found)
        return
    condition = find(status_of(found).conditions, "Succeeded")
    facts = [
        ("Name", found.metadata.name),
        ("Pipeline", found.spec.pipeline_ref.name),
        ("Execution name", status_of(found).execution_name),
        ("State", _state(resources, found)),
        ("Message", condition.message if condition else ""),
        ("Uid", found.metadata.uid),
        *([("Commit", commit)] if (commit := status_of(found).commit) else []),
        ("Storage", status_of(found).storage),
        ("Started", status_of(found).started),
        ("Finished", status_of(found).finished),
    ]
    made = table("", "")
    made.show_header = False
    settings.results.print(rows(made, facts))
    steps = table("step", "state", ">took", "what it came to")
    content = [
        (step.name, step.state, _took(step.started, step.finished), _came_to(step)) for step in status_of(found).steps
    ]
    settings.results.print(rows(steps, content))


@click.command()
@_run
@click.option("--job", type=click.Choice(JOBS), help="Only the log of this job.")
@with_settings
def logs(settings: Settings, run: str, job: str | None) -> None:
    """Print the logs of a run's jobs."""
    resources = Resources(settings.home)
    found = find_run(resources, run)
    places = Places.of(settings.home, resources.find(Pipeline, found.spec.pipeline_ref.name))
    told = False
    for name in (job,) if job else (*JOBS, "testing-again"):
        for line in log_lines(resources, places, found, name):
            told = True
            click.echo(_as_json(name, line) if settings.output == "json" else f"{name}: {parse(line)}")
    if not told:
        raise Refused(f"The run {found.metadata.name} has no log{f' of {job}' if job else ''} yet.")


@click.command()
@_run
@click.option("--open", "show_it", is_flag=True, help="Open it in the browser.")
@with_settings
def report(settings: Settings, run: str, *, show_it: bool) -> None:
    """Print where the report of a run is, an HTML file."""
    found = find_run(Resources(settings.home), run)
    step = step_of(found, "testing")
    if step is None or step.testing is None:
        raise Refused(f"The run {found.metadata.name} has no report: it has tested nothing.")
    path = report_path(step.testing.report)
    if path.startswith("/") and not Path(path).exists():
        raise Refused(f"The report {path} is gone from the storage.")
    click.echo(path)
    if show_it:
        click.launch(path)


def _row(resources: Resources, run: PipelineRun) -> tuple[object, ...]:
    status = status_of(run)
    return (
        run.metadata.name,
        run.spec.pipeline_ref.name,
        status.execution_name,
        _state(resources, run),
        _steps(run),
        _took(status.started, status.finished),
        age(run.metadata.creation_timestamp, utc_now()),
    )


def _state(resources: Resources, run: PipelineRun) -> str:
    condition = find(status_of(run).conditions, "Succeeded")
    if condition is None:
        return "Unknown"
    if condition.status == "True":
        return condition.reason
    if is_finished(run):
        return f"Failed ({condition.reason})"
    if is_at_work(resources, run):
        return condition.reason
    return INTERRUPTED if condition.reason in ("Running", "Pending") else condition.reason


def _steps(run: PipelineRun) -> str:
    left = [f"{step.name}: {step.state}" for step in status_of(run).steps if step.state != "Succeeded"]
    return ", ".join(left) or "all done"


def _took(started: str | None, finished: str | None) -> str:
    if started is None or finished is None:
        return ""
    return f"{int((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())}s"


def _came_to(step: Step) -> Text:
    if step.message:
        return Text(step.message)
    lines: list[str] = []
    if step.dataset:
        made = step.dataset
        counted = ", ".join(f"{table.rows:,} {table.name} (version {table.version})" for table in made.tables)
        lines = [f"{made.rows_read:,} rows read, {made.duplicates:,} duplicates: {counted}"]
        lines.append(
            f"testing points: {made.new:,} new, {made.changed:,} changed, {made.vanished:,} no longer in the input"
        )
    if step.training:
        trained = step.training
        lines = [
            f"{trained.succeeded:,} of {trained.total:,} candidates scored",
            f"Models: {', '.join(trained.models)}",
        ]
    if step.testing:
        lines = [f"{step.testing.points:,} points, testing set {step.testing.epoch}, version {step.testing.version}"]
        for tested in step.testing.models:
            scored = ", ".join(" ".join(shown_score(score.name, score.value)) for score in tested.scores)
            lines.append(f"{tested.name}: {scored}")
        lines.append(f"report: {report_path(step.testing.report)}")
    if step.deployment:
        lines = [f"{step.deployment.verdict or 'No verdict'}: {step.deployment.message}"]
    return Text("\n".join(lines))


def _as_json(job: str, line: bytes) -> str:
    parsed = parse(line)
    fields: dict[str, object] = {"job": job, "time": parsed.time, "level": parsed.level, "message": parsed.message}
    fields |= {"done": parsed.done, "total": parsed.total} if parsed.is_progress else {}
    return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
