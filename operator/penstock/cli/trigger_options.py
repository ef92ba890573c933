"""Which run of a Trigger is asked for: the options of `penstock trigger`, on a laptop and on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

import click

from penstock.api.pipeline import Pipeline
from penstock.api.trigger import Trigger
from penstock.cli.parameters import read_parameters
from penstock.decide.commands.backfill import MOST, Backfill, Days, backfill_runs, read_days
from penstock.decide.commands.trigger_by_hand import RunByHand, run_by_hand
from penstock.decide.decision import ApiObject
from penstock.local.objects import new_uid
from penstock_jobs.contract.errors import Refused


@dataclass(frozen=True)
class RunRequest:
    """What a person asks of a Trigger: a run now, or, with days, one for each moment of them."""

    parameters: Mapping[str, str]
    force: bool
    days: Days | None
    most: int

    def by_hand(
        self, trigger: Trigger, pipeline: Pipeline | None, own_runs: Sequence[ApiObject], now: datetime
    ) -> RunByHand:
        """Return the run to make now."""
        return run_by_hand(trigger, pipeline, own_runs, self.parameters, now=now, identity=new_uid(), force=self.force)

    def backfill(
        self,
        trigger: Trigger,
        pipeline: Pipeline | None,
        own_runs: Sequence[ApiObject],
        now: datetime,
        *,
        in_turn: bool = True,
    ) -> Backfill:
        """Return the runs to make for the moments of the days; `in_turn` where the Trigger lets them begin."""
        assert self.days is not None
        names = {str(run["metadata"]["name"]) for run in own_runs}
        asked = (self.parameters, self.days, now)
        return backfill_runs(trigger, pipeline, names, *asked, most=self.most, force=self.force, in_turn=in_turn)


def trigger_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command `--param`, `--force`, `--backfill` and `--max`, and a `RunRequest` made of them as `asked`."""

    @click.option(
        "--param",
        "parameters",
        metavar="NAME=VALUE",
        multiple=True,
        help="The value of a parameter of the Pipeline, in place of the Trigger's. As often as you like.",
    )
    @click.option(
        "--force",
        is_flag=True,
        help="Beside a live run, whatever concurrencyPolicy says; and past days where all would read the same.",
    )
    @click.option(
        "--backfill",
        metavar="DAY..DAY",
        help="A run for each moment of the schedule in these days, in its time zone, that has none yet: "
        "2026-11-01..2026-11-07.",
    )
    @click.option(
        "--max", "most", type=click.IntRange(1), help=f"How many runs --backfill may make; {MOST} without it."
    )
    @wraps(command)
    def wrapper(
        *, parameters: tuple[str, ...], force: bool, backfill: str | None, most: int | None, **others: Any
    ) -> Any:
        if most is not None and backfill is None:
            raise Refused("--max bounds how many runs --backfill makes; remove it, or add --backfill.")
        given = {name: each.value for name, each in read_parameters(parameters).items()}
        days = None if backfill is None else read_days(backfill)
        return command(asked=RunRequest(given, force, days, most or MOST), **others)

    return wrapper


def backfill_summary(made: int, found: Backfill) -> str:
    """Return how many runs were made, and how many there were."""
    there = len(found.names) - made
    before = f" {there:,} {'has' if there == 1 else 'have'} one already." if there else ""
    return f"{made:,} {'run' if made == 1 else 'runs'} made.{before}"
