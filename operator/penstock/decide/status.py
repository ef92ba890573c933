"""What is written as the status of an object: nothing that this version does not know is lost by it.

A status is applied as a whole, so a field that is not in it goes. Fields of a newer version are carried on, therefore;
and where the object cannot be read, its conditions are merged into the status that is there, and nothing else changes.
"""

from datetime import datetime
from typing import Any

import msgspec

from penstock.api.decoding import Unreadable, decode_part
from penstock.decide import reasons
from penstock.decide.conditions import shorten
from penstock.decide.decision import ApiObject, Decision, Event, OnlyConditions
from penstock.decide.objects.children import as_json
from penstock.decide.observed.listers import has_ended
from penstock.decide.times import write_time
from penstock_jobs.contract.unknown_fields import with_unknown_fields

_UNREADABLE: dict[str, dict[str, str]] = {
    "Pipeline": {"Ready": "False", "Stalled": "True"},
    "PipelineRun": {"Succeeded": "Unknown", "Stalled": "True"},
    "Trigger": {"Ready": "False", "Stalled": "True"},
    "Model": {"Ready": "False", "Stalled": "True"},
}


def status_to_write(there: ApiObject, status: msgspec.Struct) -> dict[str, Any] | None:
    """Return the whole status to apply to an object that has this one now; None where it has it already.

    Defaults that the API server has put in make no difference.
    """
    before = there.get("status") or {}
    if isinstance(status, OnlyConditions):
        merged = {**before, "conditions": list(status.conditions)}
        if status.observed_generation is not None:
            merged["observedGeneration"] = status.observed_generation
        return None if merged == before else merged
    if decode_part(there, before, type(status)) == status:
        return None
    made: dict[str, Any] = with_unknown_fields(as_json(status), before, type(status))
    return made


def leave_alone(there: ApiObject, why: Unreadable, now: datetime) -> Decision:
    """Return the decision for an object that cannot be read: its conditions say so, and since when.

    A run that has ended is not touched: that it has can be told of any run, and nothing is to come of it.
    """
    before = _conditions(there)
    if has_ended(there) or before is None:
        return Decision(warnings=(why.sentence,))
    message, generation = shorten(why.sentence), why.generation
    conditions = [each for each in before if each.get("type") != "Reconciling"]
    for kind, status in _UNREADABLE[str(there["kind"])].items():
        new = {
            "type": kind,
            "status": status,
            "reason": reasons.INVALID,
            "message": message,
            "lastTransitionTime": write_time(now),
            "observedGeneration": generation,
        }
        _put(conditions, {name: value for name, value in new.items() if value is not None})
    if conditions == before:
        return Decision()
    return Decision(
        status=OnlyConditions(tuple(conditions), generation), events=(Event("Warning", reasons.INVALID, message),)
    )


def _conditions(there: ApiObject) -> list[dict[str, Any]] | None:
    """Return the conditions that are there, or None where it is no list of them: then nothing is written over it."""
    status = there.get("status") or {}
    found = (status.get("conditions") or []) if isinstance(status, dict) else None
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None


def _put(conditions: list[dict[str, Any]], new: dict[str, Any]) -> None:
    """Put the condition in the place of the one of its type; what else is said there stays."""
    for position, each in enumerate(conditions):
        if each.get("type") == new["type"]:
            kept = {"lastTransitionTime": each.get("lastTransitionTime")} if each.get("status") == new["status"] else {}
            conditions[position] = {**each, **new, **{name: value for name, value in kept.items() if value}}
            return
    conditions.append(new)
