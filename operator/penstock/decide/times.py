"""Moments, as the API server writes them: RFC 3339 in UTC, to the second or finer."""

from datetime import UTC, datetime


def read_time(text: str) -> datetime:
    """Return the moment that the API server, or a person, wrote."""
    return datetime.fromisoformat(text.upper())


def write_time(moment: datetime) -> str:
    """Return the moment as a status keeps it: in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_between(started: str | None, finished: str | None) -> int | None:
    """Return how many whole seconds are between two moments; None while one of them has not been."""
    if started is None or finished is None:
        return None
    return int((read_time(finished) - read_time(started)).total_seconds())
