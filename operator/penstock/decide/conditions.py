"""Conditions, kept as the API conventions say: a transition time changes only when the status does."""

from typing import Literal

import msgspec

from penstock.api.conditions import Condition

ConditionStatus = Literal["True", "False", "Unknown"]
LONGEST = 1024  # bytes of a message as it is stored; a status stays small whatever a job had to say


def make_condition(
    kind: str, status: ConditionStatus, reason: str, message: str, *, now: str, generation: int | None
) -> Condition:
    """Return a condition that was found now, on that generation of the object."""
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=shorten(message),
        last_transition_time=now,
        observed_generation=generation,
    )


def with_kstatus(conditions: tuple[Condition, ...], new: Condition, *, stalled: bool) -> tuple[Condition, ...]:
    """Return the conditions with this one, by which an object is judged, and those by which kstatus does.

    `Reconciling` is there while the one is Unknown, `Stalled` where somebody has to mend something; neither is ever
    False (the README of kstatus, in Kubernetes' cli-utils).
    """
    conditions = with_condition(conditions, new)
    for kind, holds in (("Reconciling", new.status == "Unknown"), ("Stalled", stalled)):
        if holds:
            conditions = with_condition(conditions, msgspec.structs.replace(new, type=kind, status="True"))
        else:
            conditions = without(conditions, kind)
    return conditions


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


def shorten(message: str, longest: int = LONGEST) -> str:
    """Return the beginning of a message that is too long for a status.

    What counts is the room that it takes in storage: there it is JSON as Go writes it, in UTF-8, with six bytes for
    each of what is escaped.
    """
    if len(message) * 6 <= longest:
        return message
    room, end = longest, len(message)
    for position, character in enumerate(message[: longest + 1]):
        room -= _size_in_storage(character)
        if room < 0:
            end = position
            break
    if end == len(message):
        return message
    kept, over = message[:end], _size_in_storage("…") - (room + _size_in_storage(message[end]))
    while over > 0:
        over -= _size_in_storage(kept[-1])
        kept = kept[:-1]
    return f"{kept}…"


def _size_in_storage(character: str) -> int:
    if character in '"\\':
        return 2
    if character < " " or character in "<>&\u2028\u2029":
        return 6
    return len(character.encode("utf-8", "replace"))
