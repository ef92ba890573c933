"""Triggers as people see them, on a laptop and on a cluster: a row of a list, facts, and what became of each moment."""

from datetime import datetime

from rich.table import Table

from penstock.api.trigger import SOURCES, Firing, Trigger, TriggerCounts, TriggerSpec, TriggerStatus
from penstock.cli.output import age, rows, table
from penstock.cli.shown_conditions import message_of, ready_of

COLUMNS = ("name", "pipeline", "source", "ready", "last", "next", ">fired", ">skipped", ">missed", ">age")
HISTORY = ("time", "outcome", "reason", "run", "message")


def row_of(trigger: Trigger, now: datetime) -> tuple[object, ...]:
    """Return the cells of a Trigger, by `COLUMNS`."""
    status, counts = _status_of(trigger), _counts_of(trigger)
    return (
        trigger.metadata.name,
        trigger.spec.pipeline_ref.name,
        f"{source_of(trigger.spec)}{_looked(status, now)}",
        ready_of(status.conditions),
        last_of(trigger),
        status.next_schedule_time,
        counts.fired,
        counts.skipped,
        counts.missed,
        age(trigger.metadata.creation_timestamp, now),
    )


def facts_of(trigger: Trigger) -> list[tuple[str, object]]:
    """Return what is known of a Trigger as a whole."""
    spec, status, counts = trigger.spec, _status_of(trigger), _counts_of(trigger)
    return [
        ("Name", trigger.metadata.name),
        ("Pipeline", spec.pipeline_ref.name),
        ("Source", source_of(spec)),
        *([("Filter", spec.filter)] if spec.filter else []),
        ("While a run is live", spec.concurrency_policy),
        ("Starting deadline", spec.starting_deadline),
        ("Ready", ready_of(status.conditions)),
        ("Message", message_of(status.conditions)),
        ("Last", last_of(trigger)),
        ("Next", status.next_schedule_time),
        *([("Last look", _look_of(status))] if spec.objects is not None else []),
        ("Last run", status.last_run),
        ("Fired, skipped, missed", f"{counts.fired:,}, {counts.skipped:,}, {counts.missed:,}"),
    ]


def history_table(trigger: Trigger) -> Table:
    """Return what became of the last moments and events, and why; the newest first."""
    content = [(each.time, each.outcome, each.reason, each.run, each.message) for each in _status_of(trigger).history]
    return rows(table(*HISTORY), content)


def source_of(spec: TriggerSpec) -> str:
    """Return what the Trigger waits for, in a few words."""
    if spec.schedule is not None:
        named = [*spec.schedule.cron, *spec.schedule.moments]
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        zone = "" if spec.schedule.time_zone == "Etc/UTC" or not spec.schedule.cron else f" {spec.schedule.time_zone}"
        return f"{', '.join(named[:3])}{more}{zone}"
    if spec.runs is not None:
        return f"runs of {spec.runs.pipeline_ref.name}"
    if spec.model is not None:
        least, most = spec.model.minimum, spec.model.maximum
        return f"{spec.model.scoring} {f'below {least}' if least is not None else f'above {most}'}"
    if spec.objects is not None:
        return f"files of {spec.objects.input}"
    return next((source for source in SOURCES if getattr(spec, source) is not None), "")


def last_of(trigger: Trigger) -> str | None:
    """Return the last moment or event that something became of."""
    status = _status_of(trigger)
    newest: Firing | None = next(iter(status.history), None)
    return newest.time if newest is not None else status.last_schedule_time


def _looked(status: TriggerStatus, now: datetime) -> str:
    """Return how long ago files were looked at, to be read after the source."""
    return "" if status.look is None or status.look.time is None else f", seen {age(status.look.time, now)} ago"


def _look_of(status: TriggerStatus) -> str:
    look = status.look
    if look is None or look.time is None:
        return "none yet"
    if look.message is not None:
        return f"{look.time}: {look.message}"
    written = f", {look.unsettled:,} of them not settled" if look.unsettled else ""
    return f"{look.time}: {look.files or 0:,} files{written}"


def _status_of(trigger: Trigger) -> TriggerStatus:
    return trigger.status or TriggerStatus()


def _counts_of(trigger: Trigger) -> TriggerCounts:
    return _status_of(trigger).counts or TriggerCounts()
