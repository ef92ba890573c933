"""`penstock --cluster deploy`: serve a Model by hand, and back again."""

from typing import Any

import click

from penstock.api.pipeline import PipelineStatus
from penstock.cli.cluster.finding import MODEL, PIPELINE, Object, as_model, as_pipeline, find_one, kind_of
from penstock.cli.cluster.names import model_names, pipeline_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import show
from penstock.cli.terminal import echo
from penstock.decide.conditions import find
from penstock.decide.serving import PIN_MANAGER, UNDONE_BY_A_MANIFEST, require_deployment, served_model
from penstock_jobs.contract.errors import Refused


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=model_names)
@click.option(
    "--pipeline",
    shell_complete=pipeline_names,
    help="The Pipeline that is to serve it; the one it came from without it.",
)
@click.option("--unpin", is_flag=True, help="MODEL is a Pipeline: let it serve again what its runs select.")
@click.option("--wait", is_flag=True, help="Wait until it is served.")
@with_cluster
def deploy(settings: ClusterSettings, name: str, pipeline: str | None, *, unpin: bool, wait: bool) -> None:
    """Serve this Model, whatever runs propose: the way back to an older one.

    Its servers start beside those of the Model served now, which answer until the new ones are ready.
    """

    async def question(cluster: Any) -> tuple[Object, str | None]:
        of = name if unpin else await _pipeline_of(cluster, name, pipeline)
        there = as_pipeline(await find_one(cluster, PIPELINE, of))
        require_deployment(there)
        target = (there.status or PipelineStatus()).selected_model if unpin else name
        patch = {"spec": {"deployment": {"model": None if unpin else name}}}
        changed = await cluster.patch(kind_of(PIPELINE), of, patch, manager=PIN_MANAGER)
        return (await _wait_until_served(cluster, of, target) if wait and target else changed), target

    changed, target = ask(settings, question)
    if settings.output != "table":
        show(settings, changed)
        return
    there = as_pipeline(changed)
    serves = served_model(there)
    if target in (None, serves):
        echo(f"{there.metadata.name} serves {serves or 'no Model'}.")
    else:
        echo(f"{there.metadata.name} serves {serves or 'no Model'} until {target} is ready.")
    if not unpin:
        echo(UNDONE_BY_A_MANIFEST)


async def _pipeline_of(cluster: Any, model: str, pipeline: str | None) -> str:
    found = as_model(await find_one(cluster, MODEL, model))
    return pipeline or found.spec.origin.pipeline_ref.name


async def _wait_until_served(cluster: Any, pipeline: str, target: str) -> Object:
    """Return the Pipeline once it serves that Model, or refuse it where its servers do not come up."""
    async for found in cluster.watch_one(kind_of(PIPELINE), pipeline):
        if found is None:
            break
        there = as_pipeline(found)
        stalled = find((there.status or PipelineStatus()).conditions, "Stalled")
        if stalled is not None and stalled.status == "True" and target in stalled.message:
            raise Refused(f"{target} is not served: {stalled.message}")
        if served_model(there) == target:
            served: Object = found
            return served
    raise Refused(f"The Pipeline {pipeline} was deleted.")
