"""Completion of the names of resources, from the cluster: quickly, or not at all."""

import asyncio
from collections.abc import Iterable

import click

from penstock.cli.names import Complete
from penstock.cli.options import Speaking
from penstock_jobs.contract.errors import JobError

SECONDS = 3.0  # that a person who pressed Tab waits


def name_completer(*kinds: str, with_kind: bool = False) -> Complete:
    """Return what completes names of these kinds; with the kind before the name, as `plr/NAME`, where that is asked."""

    def complete(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        return [name for name in _names(context, kinds, with_kind=with_kind) if name.startswith(typed)]

    return complete


def _names(context: click.Context, kinds: Iterable[str], *, with_kind: bool) -> list[str]:
    from penstock.cli.cluster.finding import SHORT, kind_of
    from penstock.cli.cluster.options import access_of

    try:
        from penstock.remote.cluster import Cluster, open_cluster
    except ModuleNotFoundError:
        return []

    async def list_names(cluster: Cluster) -> list[str]:
        return [
            f"{SHORT[kind]}/{each['metadata']['name']}" if with_kind else each["metadata"]["name"]
            for kind in kinds
            for each in await cluster.list(kind_of(kind))
        ]

    async def ask_cluster() -> list[str]:
        async with open_cluster(access_of(context, context.params), Speaking(quiet=True).notes.print) as cluster:
            return await asyncio.wait_for(list_names(cluster), SECONDS)

    try:
        return asyncio.run(ask_cluster())
    except (JobError, TimeoutError):
        return []


pipeline_names = name_completer("Pipeline")
run_names = name_completer("PipelineRun")
model_names = name_completer("Model")
trigger_names = name_completer("Trigger")
any_names = name_completer("PipelineRun", "Pipeline", "Trigger", "Model", with_kind=True)
