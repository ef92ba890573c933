"""`penstock --cluster describe`: a run, a Pipeline, a Trigger or a Model, and what holds of it now."""

from collections.abc import Iterable
from typing import Any

import click
from rich.table import Table

from penstock.api.model import Model, ModelStatus
from penstock.api.parameters import DeclaredParameter
from penstock.api.pipeline import PipelineStatus
from penstock.api.scores import Score
from penstock.api.trigger import TriggerStatus
from penstock.cli.cluster.finding import (
    MODEL,
    PIPELINE,
    RUN,
    TRIGGER,
    Object,
    as_model,
    as_pipeline,
    as_run,
    as_trigger,
    find_one,
    find_run,
    kind_named,
    kind_of,
    target_of,
)
from penstock.cli.cluster.names import any_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import format_score, rows, show, table
from penstock.cli.shown_conditions import conditions_table, message_of, ready_of
from penstock.cli.shown_runs import facts_of, facts_table, state_of, steps_table
from penstock.cli.shown_triggers import facts_of as trigger_facts
from penstock.cli.shown_triggers import history_table
from penstock.decide.run_state import status_of
from penstock.decide.score_display import display_in


@click.command()
@click.argument("name", shell_complete=any_names)
@with_cluster
def describe(settings: ClusterSettings, name: str) -> None:
    """Show a run, a Pipeline, a Trigger or a Model: what holds of it now, and why.

    NAME is plr/NAME, pl/NAME, trg/NAME or mdl/NAME; or a name alone, which is looked for among runs (by their own
    names, their execution names, or PIPELINE/EXECUTION), then among Pipelines, Triggers and Models.
    """

    async def question(cluster: Any) -> Object:
        return await _find_by_name(cluster, name)

    found = ask(settings, question)
    if settings.output != "table":
        show(settings, found)
        return
    describing = {RUN: _run, PIPELINE: _pipeline, TRIGGER: _trigger, MODEL: _model}
    for each in describing[found["kind"]](found):
        settings.results.print(each)


async def _find_by_name(cluster: Any, name: str) -> Object:
    kind, _, _ = name.partition("/")
    if name.count("/") == 1 and kind_named(kind) is not None:
        target = target_of(name)
        assert target.kind is not None
        if target.kind == RUN:
            return await find_run(cluster, target.name)
        return await find_one(cluster, target.kind, target.name)
    for other in (RUN, PIPELINE, TRIGGER, MODEL):
        found: Object | None = await cluster.find(kind_of(other), name) if "/" not in name else None
        if found is not None:
            return found
    return await find_run(cluster, name)


def _run(found: Object) -> list[Table]:
    run = as_run(found)
    status = status_of(run)
    facts = facts_of(run, state_of(run))
    if status.image_digest:
        facts.append(("Image", status.image_digest))
    return [facts_table(facts), steps_table(run), conditions_table(status.conditions)]


def _pipeline(found: Object) -> list[Table]:
    pipeline = as_pipeline(found)
    status = pipeline.status or PipelineStatus()
    served = status.served_model
    facts: list[tuple[str, object]] = [
        ("Name", pipeline.metadata.name),
        *([("Display name", pipeline.spec.display_name)] if pipeline.spec.display_name else []),
        *([("Parameters", _declared(pipeline.spec.parameters))] if pipeline.spec.parameters else []),
        ("Ready", ready_of(status.conditions)),
        ("Message", message_of(status.conditions)),
        ("Served Model", served.name if served else "none"),
        ("Selected Model", status.selected_model),
        ("Anchor", status.anchor_model),
        ("Address", status.url),
        ("Last run", status.latest_run),
        ("Runs at work", status.active_runs),
        ("Models", status.models),
    ]
    history = [each for each in (served, *status.served_history) if each is not None]
    shown = [(each.name, each.start_time, each.end_time or "now", each.selected_by, each.reason) for each in history]
    made = rows(table("served", "since", "until", "chosen by", "reason"), shown)
    return [facts_table(facts), *([made] if shown else []), conditions_table(status.conditions)]


def _declared(parameters: Iterable[DeclaredParameter]) -> str:
    """Return what a run may give, one a line."""
    return "\n".join(
        f"{each.name}: {each.type}" + ("" if each.default is None else f", {each.default} by default")
        for each in parameters
    )


def _trigger(found: Object) -> list[Table]:
    trigger = as_trigger(found)
    status = trigger.status or TriggerStatus()
    return [facts_table(trigger_facts(trigger)), history_table(trigger), conditions_table(status.conditions)]


def _model(found: Object) -> list[Table]:
    model = as_model(found)
    spec, status = model.spec, model.status or ModelStatus()
    origin = spec.origin
    parameters = ", ".join(f"{each.name}={each.value}" for each in origin.parameters)
    facts: list[tuple[str, object]] = [
        ("Name", model.metadata.name),
        ("Pipeline", origin.pipeline_ref.name),
        ("Run", f"{origin.run_ref.name or ''} ({origin.execution_name})"),
        ("Algorithm", f"{origin.algorithm} ({origin.estimator})"),
        ("Parameters", parameters),
        ("Predicts", f"{spec.target.column} ({spec.task})"),
        ("Features", ", ".join(each.name for each in spec.features)),
        ("File", f"{spec.serving.file} ({spec.serving.format})"),
        ("Files at", spec.uri),
        ("Digest", spec.digest),
        *([("Commit", origin.commit)] if origin.commit else []),
        ("Created", spec.creation_time),
        ("Served by", ", ".join(status.served_by) or "none"),
        ("When deleted", "its files are deleted too" if spec.deletion_policy == "Delete" else "its files are kept"),
    ]
    return [facts_table(facts), _scores(model), *([conditions_table(status.conditions)] if status.conditions else [])]


def _scores(model: Model) -> Table:
    scored: list[tuple[str, str, Score]] = [("validation", "", score) for score in model.spec.validation_scores]
    for tested in model.status.testing if model.status else ():
        place = f"testing set {tested.epoch}, version {tested.version}"
        scored += [(place, f"{tested.points:,}", score) for score in tested.scores]
    content = [
        (place, points, *format_score(display_in(model, score.name), score.value)) for place, points, score in scored
    ]
    return rows(table("scored on", ">points", "scoring", ">score"), content)
