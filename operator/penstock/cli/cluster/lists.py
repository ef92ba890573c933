"""`penstock --cluster pipelines`, `runs`, `models`, `triggers`: what there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from penstock.api.decoding import Unreadable, decode
from penstock.api.pipeline import PipelineStatus
from penstock.api.resource import KINDS
from penstock.cli.cluster.deletion import delete_models, delete_pipelines, delete_runs
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
    kind_of,
)
from penstock.cli.cluster.importing import import_models
from penstock.cli.cluster.names import pipeline_names, trigger_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import age, show_list
from penstock.cli.shown_conditions import ready_of
from penstock.cli.shown_models import COLUMNS as MODEL_COLUMNS
from penstock.cli.shown_models import row_of as model_row
from penstock.cli.shown_runs import COLUMNS as RUN_COLUMNS
from penstock.cli.shown_runs import row_of as run_row
from penstock.cli.shown_runs import state_of
from penstock.cli.shown_triggers import COLUMNS as TRIGGER_COLUMNS
from penstock.cli.shown_triggers import row_of as trigger_row
from penstock.cli.triggers import moments_options, print_moments
from penstock.decide.objects.children import PIPELINE as PIPELINE_LABEL
from penstock.decide.serving import served_model
from penstock.local.objects import utc_now

PIPELINE_COLUMNS = ("name", "ready", "served Model", "chosen by", ">runs at work", ">Models", ">age")


def _list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    everywhere = click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
    selector = click.option("-l", "--selector", help="Only those with these labels, as penstock.dev/pipeline=churn.")
    return selector(everywhere(command))


_of_pipeline = click.option("--pipeline", shell_complete=pipeline_names, help="Only those of this Pipeline.")


@dataclass(frozen=True)
class _Filter:
    """Which objects are asked for."""

    everywhere: bool
    selector: str | None
    pipeline: str | None = None

    def has(self, found: Object) -> bool:
        """Whether the object is of the Pipeline that is named."""
        spec = found["spec"]
        return self.pipeline in (
            None,
            (found["metadata"].get("labels") or {}).get(PIPELINE_LABEL),  # a Pipeline's, also when it was renamed
            (spec.get("pipelineRef") or {}).get("name"),
            ((spec.get("origin") or {}).get("pipelineRef") or {}).get("name"),
        )


@click.group(invoke_without_command=True)
@_list_options
@with_cluster
def pipelines(settings: ClusterSettings, selector: str | None, *, all_namespaces: bool) -> None:
    """List the Pipelines: whether each can work, which Model it serves, and how many runs are at work."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    _print_list(settings, PIPELINE, _Filter(all_namespaces, selector), PIPELINE_COLUMNS, _pipeline_row)


@click.group(invoke_without_command=True)
@_of_pipeline
@_list_options
@with_cluster
def runs(settings: ClusterSettings, pipeline: str | None, selector: str | None, *, all_namespaces: bool) -> None:
    """List the runs, oldest first."""
    if click.get_current_context().invoked_subcommand is not None:
        return

    def row(found: Object) -> Sequence[object]:
        run = as_run(found)
        return run_row(run, state_of(run), utc_now())

    _print_list(settings, RUN, _Filter(all_namespaces, selector, pipeline), RUN_COLUMNS, row)


@click.group(invoke_without_command=True)
@_of_pipeline
@_list_options
@with_cluster
def models(settings: ClusterSettings, pipeline: str | None, selector: str | None, *, all_namespaces: bool) -> None:
    """List the Models: their scores, their origin, and which are served."""
    if click.get_current_context().invoked_subcommand is not None:
        return

    def row(found: Object) -> Sequence[object]:
        model = as_model(found)
        return model_row(model, utc_now(), served=bool(model.status and model.status.served_by))

    _print_list(settings, MODEL, _Filter(all_namespaces, selector, pipeline), MODEL_COLUMNS, row)


models.add_command(import_models)
models.add_command(delete_models)
runs.add_command(delete_runs)
pipelines.add_command(delete_pipelines)


@click.group(invoke_without_command=True)
@_of_pipeline
@_list_options
@with_cluster
def triggers(settings: ClusterSettings, pipeline: str | None, selector: str | None, *, all_namespaces: bool) -> None:
    """List the Triggers: what each waits for, its last and next moment, and what became of those that were."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    shown = _Filter(all_namespaces, selector, pipeline)
    _print_list(settings, TRIGGER, shown, TRIGGER_COLUMNS, lambda found: trigger_row(as_trigger(found), utc_now()))


@triggers.command("next")
@click.argument("name", shell_complete=trigger_names)
@moments_options("--number")  # -n is the namespace
@with_cluster
def next_moments(settings: ClusterSettings, name: str, number: int, start: str | None) -> None:
    """List the next moments of a Trigger's schedule, in its time zone and in UTC."""

    async def question(cluster: Any) -> Object:
        return await find_one(cluster, TRIGGER, name.removeprefix("trg/"))

    print_moments(settings, [as_trigger(ask(settings, question))], number, start)


@dataclass(frozen=True)
class _Listing:
    """What the cluster has, the oldest first, and where it was looked for."""

    items: list[Object]
    where: str


def _list_objects(settings: ClusterSettings, kind: str, of: _Filter) -> _Listing:
    async def question(cluster: Any) -> _Listing:
        found = [
            each for each in await cluster.list(kind_of(kind), of.selector, everywhere=of.everywhere) if of.has(each)
        ]
        if not found and not of.everywhere:
            await cluster.require_namespace()
            if of.pipeline is not None:
                await find_one(cluster, PIPELINE, of.pipeline)
        where = "any namespace" if of.everywhere else f"the namespace {cluster.namespace}"
        return _Listing(sorted(found, key=_age), where)

    return ask(settings, question)


def _print_list(
    settings: ClusterSettings,
    kind: str,
    of: _Filter,
    columns: Sequence[str],
    row: Callable[[Object], Sequence[object]],
) -> None:
    found = _list_objects(settings, kind, of)
    if settings.output == "table":
        found = _readable(settings, kind, found)
    if not found.items:
        settings.notes.print(f"There is no {kind} in {found.where}.", markup=False)
    if of.everywhere:
        columns, own = ("namespace", *columns), row
        show_list(settings, found.items, columns, lambda each: (each["metadata"]["namespace"], *own(each)))
    elif found.items or settings.output != "table":
        show_list(settings, found.items, columns, row)


def _readable(settings: ClusterSettings, kind: str, found: _Listing) -> _Listing:
    """Return those that can be shown as a row, and say of the others why they cannot."""
    read = [decode(each, KINDS[kind]) for each in found.items]
    for each in read:
        if isinstance(each, Unreadable):
            settings.notes.print(each.sentence, markup=False)
    items = [item for item, each in zip(found.items, read, strict=True) if not isinstance(each, Unreadable)]
    return replace(found, items=items)


def _pipeline_row(found: Object) -> Sequence[object]:
    pipeline = as_pipeline(found)
    status = pipeline.status or PipelineStatus()
    return (
        pipeline.metadata.name,
        ready_of(status.conditions),
        served_model(pipeline),
        status.served_model.selected_by if status.served_model else "",
        status.active_runs,
        status.models,
        age(pipeline.metadata.creation_timestamp, utc_now()),
    )


def _age(found: Object) -> tuple[str, str, str]:
    metadata = found["metadata"]
    return metadata["creationTimestamp"], metadata["namespace"], metadata["name"]
