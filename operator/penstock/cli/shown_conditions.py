"""Conditions as people see them, on a laptop and on a cluster."""

from rich.table import Table

from penstock.api.conditions import Conditions
from penstock.cli.output import age, rows, table
from penstock.decide.conditions import find
from penstock.local.objects import utc_now


def ready_of(conditions: Conditions) -> str:
    """Return whether an object is ready for its work, in a word or two."""
    condition = find(conditions, "Ready")
    return "Unknown" if condition is None else f"{condition.status} ({condition.reason})"


def message_of(conditions: Conditions) -> str:
    """Return why it is ready or not, in a sentence; empty where nobody has said."""
    condition = find(conditions, "Ready")
    return "" if condition is None else condition.message


def conditions_table(conditions: Conditions) -> Table:
    """Return all conditions, each with its reason, and since when it is so."""
    now = utc_now()
    content = [
        (each.type, each.status, each.reason, age(each.last_transition_time, now), each.message) for each in conditions
    ]
    return rows(table("condition", "status", "reason", ">since", "message"), content)
