"""Completion of the names of resources, from the cluster: quickly, or not at all."""

import asyncio
from collections.abc import Iterable

import click

from penstock.cli.names import Complete
from penstock.cli.options import Speaking
from penstock_jobs.errors import JobError

SECONDS = 3.0  # that a person who pressed Tab waits


def completing(*kinds: str, with_kind: bool = False) -> Complete:
    """Return what completes names of these kinds; with the kind before the name, as `plr/NAME`, where that is asked."""

    def complete(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        return [name for name in _names(context, kinds, with_kind=with_kind) if name.startswith(typed)]

    return complete


def _names(context: click.Context, kinds: Iterable[str], *, with_kind: bool) -> list[str]:
    from penstock.cli.cluster.finding import SHORT, kind_of
    from penstock.cli.cluster.options import access_of

    try:
        from penstock.act.user.cluster import Cluster, reached
    except ModuleNotFoundError:
        return []

    async def listed(cluster: Cluster) -> list[str]:
        return [
            f"{SHORT[kind]}/{each['metadata']['name']}" if with_kind else each["metadata"]["name"]
            for kind in kinds
            for each in await cluster.list(kind_of(kind))
        ]

    async def asked() -> list[str]:
        async with reached(access_of(context, context.params), Speaking(quiet=True).notes.print) as cluster:
            return await asyncio.wait_for(listed(cluster), SECONDS)

    try:
        return asyncio.run(asked())
    except (JobError, TimeoutError):
        return []


pipeline_names = completing("Pipeline")
run_names = completing("PipelineRun")
model_names = completing("Model")
any_names = completing("PipelineRun", "Pipeline", "Model", with_kind=True)
