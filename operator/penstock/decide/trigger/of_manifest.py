"""The schedule of a Trigger, out of its manifest."""

from datetime import UTC, datetime

from penstock.api.trigger import Trigger
from penstock.decide.trigger.schedule import Schedule


def schedule_of(trigger: Trigger) -> Schedule | None:
    """Return when the Trigger fires, or None where no schedule says so."""
    schedule = trigger.spec.schedule
    if schedule is None:
        return None
    return Schedule(
        expressions=() if schedule.cron is None else (schedule.cron,),
        moments=tuple(datetime.fromisoformat(moment.upper()).astimezone(UTC) for moment in schedule.moments),
        time_zone=schedule.time_zone,
    )
