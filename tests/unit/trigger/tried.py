"""The cron expressions that are tried where clocks change, and the moments that we find of one."""

from datetime import datetime, timedelta

from penstock.decide.trigger.schedule import Schedule, moments_between

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AROUND = 10 * HOUR
FIXED = ("30 2 * * *", "0,30 0-3 * * *", "15 1 * * *", "45 23 * * *", "0 0 * * *")
FOLLOWING = ("*/20 * * * *", "* 2 * * *", "*/20 0 * * *", "20 */2 * * *", "0 * * * *", "*/30 0-2 * * *")


def our_moments(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Return the moments from one instant, and at it, to another."""
    schedule = Schedule(expressions=(expression,), time_zone=zone)
    return moments_between(schedule, start - MINUTE, end - MINUTE, 10**7)
