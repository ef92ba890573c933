"""The progress of a run of a cluster, told as that of a laptop's run is: steps, lines of their logs, the outcome."""

import asyncio
from contextlib import suppress
from typing import Any

from penstock.api.run import PipelineRun
from penstock.cli.cluster.finding import MODEL, RUN, Object, as_model, as_run, kind_of
from penstock.cli.cluster.options import ClusterSettings, ask
from penstock.cli.outcome import show_decision
from penstock.cli.output import show
from penstock.cli.progress import watching
from penstock.cli.shown_models import testing_table
from penstock.cli.terminal import echo
from penstock.decide.commands.progress import ProgressUpdate, progress_updates
from penstock.decide.conditions import find
from penstock.decide.run_state import is_finished, status_of, step_of
from penstock.local.telling import Teller
from penstock_jobs.contract.errors import Refused

REST = 5.0  # seconds that the ends of logs are waited for when the run has ended


def follow_to_end(settings: ClusterSettings, created: Object) -> None:
    """Tell how the run goes until it ends; print what came of it.

    Raises:
        Refused: it failed, or was deleted.
    """
    name = created["metadata"]["name"]

    async def question(cluster: Any) -> Object:
        with watching(settings.notes) as watcher:
            return await _follow(cluster, created, Teller(watcher))

    try:
        settings.notes.print(f"{name} runs in the cluster.", markup=False)
        ended = ask(settings, question)
    except KeyboardInterrupt:
        echo(f"{name} goes on in the cluster. To end it: penstock --cluster cancel {name}", err=True)
        raise
    _outcome(settings, ended)


async def _follow(cluster: Any, created: Object, teller: Teller) -> Object:
    from penstock.kubernetes.errors import Rejected
    from penstock.remote.run_logs import LogOf, follow

    ended = asyncio.Event()

    def take(log: LogOf, line: bytes) -> None:
        # Workers share their work, and each tells how far all are: one of them is enough.
        if not log.index:
            teller.line(log.step, line)

    async def tell_logs() -> None:
        try:
            await follow(cluster, created, take, ended)
        except Rejected as error:
            teller.tell(ProgressUpdate("said", f"Logs are not told: {error}"))

    logs = asyncio.create_task(tell_logs())
    try:
        found = await _tell_to_end(cluster, created, teller)
        ended.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(logs, REST)
    finally:
        logs.cancel()
    return found


async def _tell_to_end(cluster: Any, created: Object, teller: Teller) -> Object:
    name, uid = created["metadata"]["name"], created["metadata"]["uid"]
    before: PipelineRun | None = None
    async for found in cluster.watch_one(kind_of(RUN), name):
        if found is None or found["metadata"]["uid"] != uid:
            raise Refused(f"The run {name} was deleted; nothing of it goes on.")
        run = as_run(found)
        for told in progress_updates(before, run):
            teller.tell(told)
        if is_finished(run):
            ended: Object = found
            return ended
        before = run
    raise Refused(f"The run {name} cannot be watched.")


def _outcome(settings: ClusterSettings, ended: Object) -> None:
    run = as_run(ended)
    name = run.metadata.name
    if settings.output != "table":
        show(settings, ended)
    condition = find(status_of(run).conditions, "Succeeded")
    if condition is not None and condition.status != "True":
        began = any(step.start_time for step in status_of(run).steps)
        logs = f" Its logs: penstock --cluster logs {name}" if began else ""
        raise Refused(f"{condition.message}{logs}")
    if settings.output == "table":
        _show(settings, run)


def _show(settings: ClusterSettings, run: PipelineRun) -> None:
    testing = step_of(run, "testing")
    tested = [each.name for each in testing.testing.models] if testing and testing.testing else []

    async def models(cluster: Any) -> dict[str, Object | None]:
        return {name: await cluster.find(kind_of(MODEL), name) for name in tested}

    found = ask(settings, models) if tested else {}
    made = testing_table({name: as_model(each) for name, each in found.items() if each is not None}, run)
    if made is not None:
        settings.results.print(made)
    show_decision(settings.results, run)
    echo(f"{run.spec.pipeline_ref.name}, run {status_of(run).execution_name}: done.")
