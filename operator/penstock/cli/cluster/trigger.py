"""`penstock --cluster trigger`: a run of a Trigger by hand, or those of past days."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from penstock.api.pipeline import Pipeline
from penstock.api.trigger import Trigger
from penstock.cli.cluster.finding import PIPELINE, RUN, TRIGGER, Object, as_pipeline, as_trigger, find_one, kind_of
from penstock.cli.cluster.following import follow_to_end
from penstock.cli.cluster.names import trigger_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.output import show, show_all
from penstock.cli.terminal import echo
from penstock.cli.trigger_options import RunRequest, backfill_summary, trigger_options
from penstock.decide.objects.children import TRIGGER as TRIGGER_LABEL
from penstock.decide.trigger.own_runs import trigger_of
from penstock.local.objects import utc_now


@dataclass(frozen=True)
class _Seen:
    """A Trigger of the cluster, its Pipeline, where it is there, and its runs."""

    trigger: Trigger
    pipeline: Pipeline | None
    runs: list[Object]
    now: datetime


@click.command()
@click.argument("name", shell_complete=trigger_names)
@trigger_options
@click.option("--wait", is_flag=True, help="Tell how it goes until it has ended. Ctrl-C leaves it running.")
@with_cluster
def trigger(settings: ClusterSettings, name: str, asked: RunRequest, *, wait: bool) -> None:
    """Make a run of a Trigger by hand, now, or with --backfill those of past days, and print their names.

    It is recorded as every run of the Trigger is. A Trigger that is suspended starts one by hand all the same. Under
    the concurrencyPolicy Forbid none is made while another is live, unless --force says so.
    """

    async def question(cluster: Any) -> list[Object]:
        seen = await _see(cluster, name.removeprefix("trg/"))
        return await (_create_one if asked.days is None else _create_many)(settings, cluster, seen, asked)

    made = ask(settings, question)
    if wait:
        for each in made:
            follow_to_end(settings, each)
    elif settings.output != "table":
        (show_all(settings, made) if asked.days is not None else show(settings, made[0]))
    else:
        for each in made:
            echo(each["metadata"]["name"])


async def _see(cluster: Any, name: str) -> _Seen:
    trigger = as_trigger(await find_one(cluster, TRIGGER, name))
    pipeline = await cluster.find(kind_of(PIPELINE), trigger.spec.pipeline_ref.name)
    runs = await cluster.list(kind_of(RUN), f"{TRIGGER_LABEL}={name}")
    own = [run for run in runs if trigger_of(run) == trigger.metadata.uid]
    return _Seen(trigger, None if pipeline is None else as_pipeline(pipeline), own, utc_now())


async def _create_one(settings: ClusterSettings, cluster: Any, seen: _Seen, asked: RunRequest) -> list[Object]:
    found = asked.by_hand(seen.trigger, seen.pipeline, seen.runs, seen.now)
    _remark(settings, found.remarks)
    for patch in found.cancellations:
        await cluster.patch(kind_of(RUN), patch.name, patch.content)
    return [await cluster.create(found.run)]


async def _create_many(settings: ClusterSettings, cluster: Any, seen: _Seen, asked: RunRequest) -> list[Object]:
    from penstock.kubernetes.errors import AlreadyExists

    found = asked.backfill(seen.trigger, seen.pipeline, seen.runs, seen.now)
    _remark(settings, found.remarks)
    made = []
    for run in found.runs:
        try:
            made.append(await cluster.create(run))
        except AlreadyExists:  # the Trigger itself, or another person, was faster
            continue
    _remark(settings, (backfill_summary(len(made), found),))
    return made


def _remark(settings: ClusterSettings, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        settings.notes.print(sentence, markup=False)
