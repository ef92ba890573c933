"""Conditions, kept as the API conventions say: a transition time changes only when the status does."""

import msgspec

from penstock.api.conditions import Condition

LONGEST = 1024  # characters of a message; a status stays small whatever a job had to say


def with_condition(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """Return the conditions with this one in the place of the earlier one of its type."""
    for position, earlier in enumerate(conditions):
        if earlier.type == new.type:
            if earlier.status == new.status:
                new = msgspec.structs.replace(new, last_transition_time=earlier.last_transition_time)
            return (*conditions[:position], new, *conditions[position + 1 :])
    return (*conditions, new)


def without(conditions: tuple[Condition, ...], kind: str) -> tuple[Condition, ...]:
    """Return the conditions but those of this type."""
    return tuple(condition for condition in conditions if condition.type != kind)


def find(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """Return the condition of this type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def shortened(message: str) -> str:
    """Return the beginning of a message that is too long for a status."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
