"""`penstock --cluster runs delete`, `models delete`, `pipelines delete`: with the rights of the person who asks."""

from typing import Any

import click

from penstock.cli.cluster.finding import MODEL, PIPELINE, RUN, SHORT, find_one, find_run
from penstock.cli.cluster.names import model_names, pipeline_names, run_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.deleting import confirm_deletions, delete_options, show_deletions
from penstock.decide.commands.delete import Deletion


@click.command("delete")
@delete_options(run_names)
@with_cluster
def delete_runs(settings: ClusterSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete runs, with their Jobs, logs, results and files. The Models that they made stay, and the tables.

    NAME is the name of a run, its execution name, or PIPELINE/EXECUTION. A run that is at work is refused. Files go a
    while later, by a Job.
    """
    _delete(settings, RUN, names, yes=yes)


@click.command("delete")
@delete_options(model_names)
@with_cluster
def delete_models(settings: ClusterSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete Models. Their files stay, unless their deletionPolicy is Delete: then they go a while later, by a Job.

    One that is served, or pinned, is refused.
    """
    _delete(settings, MODEL, names, yes=yes)


@click.command("delete")
@delete_options(pipeline_names)
@with_cluster
def delete_pipelines(settings: ClusterSettings, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete Pipelines, with their APIs. Their Models, runs, Triggers and tables stay.

    A run that is at work goes on, and ends where it would have deployed its Model.
    """
    _delete(settings, PIPELINE, names, yes=yes)


def _delete(settings: ClusterSettings, kind: str, names: tuple[str, ...], *, yes: bool) -> None:
    async def look(cluster: Any) -> list[Deletion]:
        from penstock.remote.delete import plan_deletions

        find = find_run if kind == RUN else _find_other(kind)
        return await plan_deletions(cluster, [await find(cluster, name) for name in names])

    async def delete(cluster: Any) -> None:
        from penstock.remote.delete import delete_objects

        await delete_objects(cluster, deletions)

    deletions = ask(settings, look)
    confirm_deletions(settings, deletions, yes=yes)
    ask(settings, delete)
    show_deletions(settings, deletions)


def _find_other(kind: str) -> Any:
    async def find(cluster: Any, name: str) -> Any:
        return await find_one(cluster, kind, name.removeprefix(f"{SHORT[kind]}/"))

    return find
