"""The runs of a Trigger for the moments of past days that have none yet: each is for its own moment.

A moment has one run, whoever makes it: the run's name is a function of the Trigger and the moment. So what is asked
for twice is made once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from penstock.api.parameters import used_parameters
from penstock.api.pipeline import Pipeline
from penstock.api.trigger import Trigger
from penstock.api.trigger_sources import ScheduleSource
from penstock.decide.commands.trigger_by_hand import PERSON, refuse_parameters, remarks_on
from penstock.decide.trigger.make_run import make_run, run_name
from penstock.decide.trigger.moments import schedule_of
from penstock.decide.trigger.occasion import backfill
from penstock.decide.trigger.schedule import moments_between
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import SCHEDULED_TIME

MOST = 100
"""How many runs are made at once, where the person says nothing else."""
_MOST_COUNTED = 10_000
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Days:
    """Days of a calendar, from the first to the last of them."""

    first: date
    last: date


@dataclass(frozen=True)
class Backfill:
    """The runs to make; the names of those of all moments, also where they are there already; and remarks.

    All are the oldest first.
    """

    runs: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def read_days(text: str) -> Days:
    """Return the days that `2026-11-01..2026-11-07`, or `2026-11-01` alone, means."""
    first, separator, last = text.partition("..")
    try:
        days = Days(date.fromisoformat(first), date.fromisoformat(last if separator else first))
    except ValueError as error:
        raise Refused(f"--backfill is {text}; write the first day and the last, as 2026-11-01..2026-11-07.") from error
    if days.last < days.first:
        raise Refused(f"--backfill is {text}, which ends before it begins; write the earlier day first.")
    return days


def backfill_runs(
    trigger: Trigger,
    pipeline: Pipeline | None,
    names: Collection[str],
    given: Mapping[str, str],
    days: Days,
    now: datetime,
    *,
    most: int = MOST,
    force: bool = False,
    in_turn: bool = True,
) -> Backfill:
    """Return the runs for the moments of the Trigger's schedule in those days, in its time zone.

    Args:
        trigger: the Trigger.
        pipeline: the Pipeline that it runs, None where it is not there.
        names: the names of the runs that there are.
        given: values of parameters, as text, in place of the Trigger's.
        days: the days.
        now: the time of asking; moments that have not come yet are the Trigger's own.
        most: how many runs may be made.
        force: make them though all would read the same.
        in_turn: let them wait until the Trigger lets them begin, one after the other, where it is to do so.

    Raises:
        Refused: the Trigger has no schedule, the days no moment that is over, there are too many, or all would read the
            same.
    """
    source = trigger.spec.schedule
    if source is None:
        raise Refused(
            f"The Trigger {trigger.metadata.name} has no schedule, so no moments that could be made up for; leave "
            "--backfill out for a run now."
        )
    if not force:
        _refuse_equal_runs(trigger, pipeline)
    occasions = [backfill(PERSON, now, moment) for moment in _moments(trigger, source, days, now)]
    new = [each for each in occasions if run_name(trigger, each) not in names]
    if len(new) > most:
        counted = f"{len(new):,}" if len(occasions) < _MOST_COUNTED else f"{_MOST_COUNTED:,} or more"
        raise Refused(f"These days have {counted} moments without a run; name fewer days, or allow more with --max.")
    # One that is suspended lets none begin.
    waits = in_turn and len(new) > 1 and trigger.spec.concurrency_policy != "Allow" and not trigger.spec.suspend
    runs = tuple(make_run(trigger, each, waits=waits, given=given) for each in new)
    for made in runs:
        refuse_parameters(pipeline, made)
    return Backfill(runs, tuple(run_name(trigger, each) for each in occasions), remarks_on(trigger))


def _moments(trigger: Trigger, source: ScheduleSource, days: Days, now: datetime) -> list[datetime]:
    zone = ZoneInfo(source.time_zone)
    begin, end = (_midnight(each, zone) for each in (days.first, days.last + _DAY))
    found = moments_between(schedule_of(trigger, source), begin - _SECOND, min(end - _SECOND, now), _MOST_COUNTED)
    if not found:
        raise Refused(
            f"The Trigger {trigger.metadata.name} has no moment from {days.first} to {days.last} ({source.time_zone}) "
            "that is over; penstock triggers next shows when it fires."
        )
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _refuse_equal_runs(trigger: Trigger, pipeline: Pipeline | None) -> None:
    """Raise `Refused` where nothing that the runs read depends on the moment that they are for."""
    by_moment = any(each.expression is not None for each in trigger.spec.parameters)
    if pipeline is None or by_moment or SCHEDULED_TIME in used_parameters(pipeline.spec):
        return
    raise Refused(
        f"The Pipeline {pipeline.metadata.name} uses {SCHEDULED_TIME} in neither dataset.query nor an input's uri, so "
        "the runs of past days would all read the table of today; use it there, or add --force."
    )
