"""Runs as people see them, on a laptop and on a cluster: a row of a list, facts, steps and what each came to."""

from datetime import datetime

from rich.table import Table
from rich.text import Text

from penstock.api.run import PipelineRun, Step
from penstock.cli.output import age, format_score, rows, table
from penstock.decide.conditions import find
from penstock.decide.remarks import remarks_in_words
from penstock.decide.run_state import SUCCEEDED_STATES, is_finished, status_of
from penstock.decide.score_display import display_in
from penstock.decide.times import seconds_between
from penstock.local.reading import report_path

COLUMNS = ("name", "pipeline", "execution", "state", "steps", ">took", ">age")


def row_of(run: PipelineRun, state: str, now: datetime) -> tuple[object, ...]:
    """Return the cells of a run, by `COLUMNS`."""
    status = status_of(run)
    return (
        run.metadata.name,
        run.spec.pipeline_ref.name,
        status.execution_name,
        state,
        steps_left(run),
        duration(status.start_time, status.completion_time),
        age(run.metadata.creation_timestamp, now),
    )


def state_of(run: PipelineRun) -> str:
    """Return the state of a run in a word or two."""
    condition = find(status_of(run).conditions, "Succeeded")
    if condition is None:
        return "Unknown"
    if condition.status == "True":
        return condition.reason
    return f"Failed ({condition.reason})" if is_finished(run) else condition.reason


def facts_of(run: PipelineRun, state: str) -> list[tuple[str, object]]:
    """Return what is known of a run as a whole."""
    status = status_of(run)
    condition = find(status.conditions, "Succeeded")
    return [
        ("Name", run.metadata.name),
        ("Pipeline", run.spec.pipeline_ref.name),
        ("Execution name", status.execution_name),
        ("State", state),
        ("Message", condition.message if condition else ""),
        ("Uid", run.metadata.uid),
        *([("Parameters", status.parameters)] if status.parameters else []),
        *([("Commit", status.commit)] if status.commit else []),
        ("Storage", status.storage),
        ("Started", status.start_time),
        ("Finished", status.completion_time),
    ]


def facts_table(facts: list[tuple[str, object]]) -> Table:
    """Return facts as a table without a head."""
    made = table("", "")
    made.show_header = False
    return rows(made, facts)


def steps_table(run: PipelineRun) -> Table:
    """Return the steps of a run, and what each came to."""
    content = [
        (step.name, step.state, duration(step.start_time, step.completion_time), describe_step(step))
        for step in status_of(run).steps
    ]
    return rows(table("step", "state", ">took", "outcome"), content)


def steps_left(run: PipelineRun) -> str:
    """Return the steps that have neither succeeded nor been taken over."""
    left = [f"{step.name}: {step.state}" for step in status_of(run).steps if step.state not in SUCCEEDED_STATES]
    return ", ".join(left) or ("all done" if status_of(run).steps else "")


def duration(started: str | None, finished: str | None) -> str:
    """Return how long it took, empty while it is not over."""
    seconds = seconds_between(started, finished)
    return "" if seconds is None else f"{seconds}s"


def describe_step(step: Step) -> Text:
    """Return what a step came to, in a few lines."""
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
        lines += remarks_in_words(made)
    if step.training:
        trained = step.training
        lines = [
            f"{trained.succeeded:,} of {trained.total:,} candidates scored",
            f"Models: {', '.join(trained.models)}",
        ]
    if step.testing:
        lines = [f"{step.testing.points:,} points, testing set {step.testing.epoch}, version {step.testing.version}"]
        for tested in step.testing.models:
            scored = ", ".join(
                " ".join(format_score(display_in(None, score.name, step.testing.own_errors), score.value))
                for score in tested.scores
            )
            lines.append(f"{tested.name}: {scored}")
        lines.append(f"report: {report_path(step.testing.report)}")
    if step.deployment:
        verdict = f"{step.deployment.verdict}: " if step.deployment.verdict else ""
        lines = [f"{verdict}{step.deployment.message}"]
    return Text("\n".join(lines))
