"""`penstock --cluster logs`, `report`: what the jobs of a run print, and what its testing wrote."""

import asyncio
from typing import Any

import click

from penstock.api.run import PipelineRun
from penstock.api.schema import JOBS
from penstock.cli.cluster.finding import RUN, Object, as_run, find_run, kind_of
from penstock.cli.cluster.names import run_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.shown_logs import as_json, as_text
from penstock.cli.terminal import echo
from penstock.decide.conditions import find
from penstock.decide.run_state import is_finished, status_of, step_of
from penstock_jobs.contract.errors import Refused


@click.command()
@click.argument("run", shell_complete=run_names)
@click.option("--job", type=click.Choice(JOBS), help="Only the log of this job.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until the run has ended.")
@with_cluster
def logs(settings: ClusterSettings, run: str, job: str | None, *, follow: bool) -> None:
    """Print the logs of a run's jobs, from its pods.

    Where the pods are gone, it says where in the storage of the run the logs are.
    """

    async def question(cluster: Any) -> tuple[Object, set[str]]:
        found = await find_run(cluster, run)
        told = await (_follow_logs if follow else _print_logs)(settings, cluster, found, job)
        return await find_run(cluster, found["metadata"]["name"]), told

    found, told = ask(settings, question)
    missing = _missing(as_run(found), job, told)
    if not told:
        raise Refused(missing or _nothing_yet(as_run(found), job))
    if missing:
        settings.notes.print(missing, markup=False)


@click.command()
@click.argument("run", shell_complete=run_names)
@with_cluster
def report(settings: ClusterSettings, run: str) -> None:
    """Print where the report of a run is, an HTML file in its storage."""
    found = as_run(ask(settings, lambda cluster: find_run(cluster, run)))
    step = step_of(found, "testing")
    if step is None or step.testing is None:
        raise Refused(f"The run {found.metadata.name} has no report: it has tested nothing.")
    echo(step.testing.report)


async def _print_logs(settings: ClusterSettings, cluster: Any, run: Object, job: str | None) -> set[str]:
    from penstock.remote.run_logs import lines_of, logs_of, pods_of

    told: set[str] = set()
    for log in logs_of(await pods_of(cluster, run), job):
        async for line in lines_of(cluster, log, follow=False):
            told.add(log.step)
            _print(settings, log, line)
    return told


async def _follow_logs(settings: ClusterSettings, cluster: Any, run: Object, job: str | None) -> set[str]:
    from penstock.remote.run_logs import LogOf, follow

    ended = asyncio.Event()
    told: set[str] = set()

    def take(log: LogOf, line: bytes) -> None:
        told.add(log.step)
        _print(settings, log, line)

    async def wait_for_end() -> None:
        async for found in cluster.watch_one(kind_of(RUN), run["metadata"]["name"]):
            if found is None or is_finished(as_run(found)):
                ended.set()
                return

    waiting = asyncio.create_task(wait_for_end())
    try:
        await follow(cluster, run, take, ended, job)
    finally:
        waiting.cancel()
    return told


def _print(settings: ClusterSettings, log: Any, line: bytes) -> None:
    name = log.step if log.index is None else f"{log.step}/{log.index}"
    echo(as_json(log.step, line, worker=log.index) if settings.output == "json" else as_text(name, line))


def _missing(run: PipelineRun, job: str | None, told: set[str]) -> str | None:
    """Return where the logs are of the jobs that began and whose pods are gone; None where there are none such."""
    status = status_of(run)
    begun = [step.name for step in status.steps if step.start_time and job in (None, step.name)]
    gone = [name for name in begun if name not in told and name != "deployment"]
    if not gone:
        return None
    kept = f"{status.storage.rstrip('/')}/logs/" if status.storage else "the storage of its Pipeline"
    return f"The pods of {', '.join(gone)} are gone; what they printed is kept in {kept}"


def _nothing_yet(run: PipelineRun, job: str | None) -> str:
    condition = find(status_of(run).conditions, "Succeeded")
    why = f" {condition.message}" if condition and condition.message else ""
    return f"The run {run.metadata.name} has no log{f' of {job}' if job else ''}.{why}"
