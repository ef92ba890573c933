"""`penstock wait`: until a run, a Pipeline, a Trigger or a Model is as it should be, or will not be."""

import asyncio
from typing import Any

import click

from penstock.api.quantities import read_duration
from penstock.cli.cluster.finding import RUN, ObjectReference, find_run, kind_of, no_such_object, target_of
from penstock.cli.cluster.names import any_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.terminal import echo
from penstock.decide.commands.wait import Goal, WaitOutcome, goal_of, state_sentence, wait_outcome
from penstock_jobs.contract.errors import TIMED_OUT, Refused

FAILED = 1


@click.command()
@click.argument("names", metavar="plr/NAME…", nargs=-1, required=True, shell_complete=any_names)
@click.option(
    "--for",
    "goal",
    help="condition=NAME, condition=NAME=False, create or delete, as kubectl wait says it. Without it the success of "
    "a run, and that a Pipeline, a Trigger or a Model is Ready.",
)
@click.option("--timeout", help="How long at most, as 90s or 2h; without it as long as it takes, with 0 not at all.")
@with_cluster
def wait(settings: ClusterSettings, names: tuple[str, ...], goal: str | None, timeout: str | None) -> int:
    """Wait until runs have succeeded, and Pipelines, Triggers and Models are ready, or never will be.

    Their names are plr/NAME, pl/NAME, trg/NAME and mdl/NAME. The exit code is 0 when all came as waited for, 1 when one
    failed, with the sentence that says why, and 124 when the time was over. Unlike kubectl wait it does not wait on
    when a run has failed.
    """
    targets = [target_of(name) for name in names]
    wanted = [(target, goal_of(goal, target.kind or RUN)) for target in targets]
    seconds = None if timeout is None else _seconds(timeout)

    async def question(cluster: Any) -> int:
        return await _wait_for_all(settings, cluster, wanted, seconds)

    return ask(settings, question)


def _seconds(timeout: str) -> float:
    return 0.0 if timeout == "0" else read_duration(timeout, "--timeout")


async def _wait_for_all(
    settings: ClusterSettings, cluster: Any, wanted: list[tuple[ObjectReference, Goal]], seconds: float | None
) -> int:
    """Wait for all at once; the first that fails ends it."""
    last: dict[ObjectReference, str] = {}

    async def one(target: ObjectReference, goal: Goal) -> tuple[ObjectReference, Goal, WaitOutcome]:
        return target, goal, await _one(cluster, target, goal, last, once=seconds == 0)

    tasks = [asyncio.create_task(one(*each)) for each in wanted]
    try:
        async with asyncio.timeout(seconds or None):
            for task in asyncio.as_completed(tasks):
                target, goal, found = await task
                if not found.well:
                    return _print_failure(settings, found.sentence, FAILED)
                echo(f"{(target.kind or RUN).lower()}.penstock.dev/{target.name} {goal}")
                settings.notes.print(found.sentence, markup=False)
    except TimeoutError:
        said = "; ".join(last.values()) or "the cluster did not answer."
        return _print_failure(settings, f"The time was over. {said[:1].upper()}{said[1:]}", TIMED_OUT)
    finally:
        for task in tasks:
            task.cancel()
    return 0


async def _one(
    cluster: Any, target: ObjectReference, goal: Goal, last: dict[ObjectReference, str], *, once: bool
) -> WaitOutcome:
    kind, name = target.kind or RUN, target.name
    seen = False
    if kind == RUN and goal.existence is None:
        name = (await find_run(cluster, name))["metadata"]["name"]
    async for found in cluster.watch_one(kind_of(kind), name):
        if found is None and not seen and goal.existence is None:
            raise await no_such_object(cluster, kind, name)
        ended = wait_outcome(goal, kind, name, found, seen=seen)
        seen = seen or found is not None
        if ended is not None:
            return ended
        last[target] = state_sentence(kind, name, found)
        if once:
            raise TimeoutError
    raise Refused(f"{kind} {name} cannot be watched.")


def _print_failure(settings: ClusterSettings, sentence: str, code: int) -> int:
    echo(f"penstock: {sentence}", err=True)
    return code
