"""`penstock --cluster cancel`: end a run."""

from typing import Any

import click

from penstock.cli.cluster.finding import RUN, Object, as_run, find_run, kind_of
from penstock.cli.cluster.names import run_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import show
from penstock.cli.shown_runs import state_of
from penstock.cli.terminal import echo
from penstock.decide.reasons import CANCELLED
from penstock.decide.run_state import is_finished
from penstock_jobs.contract.errors import Refused


@click.command()
@click.argument("run", shell_complete=run_names)
@click.option("--wait", is_flag=True, help="Wait until nothing of it runs any more.")
@with_cluster
def cancel(settings: ClusterSettings, run: str, *, wait: bool) -> None:
    """End a run. It cannot be taken back; what its steps have made so far is kept."""

    async def question(cluster: Any) -> Object:
        found = await find_run(cluster, run)
        if not is_finished(as_run(found)):
            found = await cluster.patch(kind_of(RUN), found["metadata"]["name"], {"spec": {"cancel": True}})
        return await _wait_for_end(cluster, found) if wait else found

    found = ask(settings, question)
    ended = as_run(found)
    name, state = ended.metadata.name, state_of(ended)
    if is_finished(ended) and CANCELLED not in state:
        raise Refused(f"The run {name} has ended already: {state}.")
    if settings.output != "table":
        show(settings, found)
    else:
        echo(f"{name} {'is cancelled' if is_finished(ended) else 'is being cancelled'}.")


async def _wait_for_end(cluster: Any, run: Object) -> Object:
    async for found in cluster.watch_one(kind_of(RUN), run["metadata"]["name"]):
        if found is None:
            return run
        if is_finished(as_run(found)):
            ended: Object = found
            return ended
    return run
