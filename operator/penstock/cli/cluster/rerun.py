"""`penstock --cluster rerun`: a run once more, from one of its jobs on, in the cluster."""

from typing import Any

import click

from penstock.api.schema import JobName
from penstock.cli.cluster.finding import Object, as_run, find_run
from penstock.cli.cluster.names import run_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.cluster.run import tell_run
from penstock.cli.run_options import rerun_options, with_changes
from penstock.decide.commands.new_run import new_run
from penstock.decide.commands.rerun import rerun as ask_again
from penstock.decide.names import LONGEST


@click.command()
@click.argument("run", shell_complete=run_names)
@rerun_options
@click.option("--wait", is_flag=True, help="Tell how it goes until it has ended. Ctrl-C leaves it running.")
@with_cluster
def rerun(
    settings: ClusterSettings,
    run: str,
    first: JobName | None,
    last: JobName | None,
    debug: bool,
    name: str | None,
    parameters: tuple[str, ...],
    overrides: tuple[str, ...],
    wait: bool,
) -> None:
    """Do a run once more, as it was: from the job that failed, or from the one that you name.

    RUN is the name of a run, its execution name, or PIPELINE/EXECUTION. The jobs before are not done again: their
    results are taken over. What was edited in the Pipeline since is not in it; --set and --param change this one run.
    """

    async def create(cluster: Any) -> Object:
        repeated = as_run(await find_run(cluster, run))
        spec = with_changes(ask_again(repeated, first, last, debug=debug), name, parameters, overrides)
        named = {"metadata": {"generateName": f"{(repeated.metadata.name or '')[:LONGEST]}-"}}
        created: Object = await cluster.create(new_run(spec, named))
        return created

    tell_run(settings, ask(settings, create), wait=wait)
