"""What a Trigger asks of a run that it made, or that was made for it. Runs are as the API server has them."""

from collections.abc import Mapping
from typing import Any

from penstock.api.schema import GROUP
from penstock.decide.decision import ApiObject, Delete, Patch
from penstock.decide.objects.children import TRIGGER_AWAITED
from penstock.decide.observed.listers import goes_on

BATCH = f"{GROUP}/batch"
"""The label of a run that another one took into its batch: the name of that one."""
FOLDED = f"{GROUP}/folded"
"""The label of a run that its Trigger cancelled before it began, for another one."""


def trigger_of(run: ApiObject) -> str | None:
    """Return the uid of the Trigger whose own the run is, None where it is no Trigger's.

    That is its controller: whoever makes a run may say in `spec.trigger` what they like.
    """
    reference = trigger_reference(run)
    return None if reference is None else str(reference["uid"])


def trigger_reference(run: ApiObject) -> Mapping[str, Any] | None:
    """Return the reference to the Trigger that controls a run, None where none does."""
    owners = run["metadata"].get("ownerReferences") or ()
    return next((each for each in owners if each.get("controller") and each.get("kind") == "Trigger"), None)


def reason_of(run: ApiObject) -> Mapping[str, Any]:
    """Return what a run says of why it was made (`spec.trigger`)."""
    return _mapping(run["spec"].get("trigger"))


def scheduled_time(run: ApiObject) -> str:
    """Return the moment that a run is for, or when its event was; empty where it does not say."""
    return str(reason_of(run).get("scheduledTime") or "")


def event_of(run: ApiObject) -> Mapping[str, Any] | None:
    """Return the event for which the run was made; None for a moment."""
    return _mapping(reason_of(run).get("event")) or None


def is_undecided(run: ApiObject) -> bool:
    """Return whether the Trigger has yet to decide about the run, or to record it."""
    return TRIGGER_AWAITED in (run["metadata"].get("labels") or {})


def is_folded(run: ApiObject) -> bool:
    """Return whether the run was cancelled before it began, for another one."""
    return FOLDED in (run["metadata"].get("labels") or {})


def is_waiting(run: ApiObject) -> bool:
    """Return whether the run waits for the Trigger to let it begin."""
    return is_undecided(run) and goes_on(run) and bool(run["spec"].get("suspend"))


def is_live(run: ApiObject) -> bool:
    """Return whether the run is in the way of another one: begun or about to, and not stuck for good."""
    return goes_on(run) and not is_waiting(run) and not _is_stalled(run)


def has_generation(run: ApiObject, generation: int | None) -> bool:
    """Return whether the run was made under that generation of the Trigger's spec."""
    return reason_of(run).get("generation") == generation


def oldest_first(run: ApiObject) -> tuple[str, str, str]:
    """Return the key by which runs are in the order of what they are for."""
    metadata = run["metadata"]
    return scheduled_time(run), str(metadata.get("creationTimestamp") or ""), str(metadata["name"])


def release(run: ApiObject) -> Patch:
    """Return the write that lets a run begin, and says that its Trigger has decided."""
    return Patch.of(run, {"metadata": {"labels": {TRIGGER_AWAITED: None}}, "spec": {"suspend": False}})


def acknowledge(run: ApiObject) -> Patch:
    """Return the write that says that the Trigger has recorded a run, which goes on as it does."""
    return Patch.of(run, {"metadata": {"labels": {TRIGGER_AWAITED: None}}})


def fold(run: ApiObject, batch: str | None) -> Patch:
    """Return the write that cancels a run which has not begun, for another one: the one of its batch, if it is one."""
    labels = {TRIGGER_AWAITED: None, FOLDED: "true", **({} if batch is None else {BATCH: batch})}
    return Patch.of(run, {"metadata": {"labels": labels}, "spec": {"cancel": True}})


def cancel(run: ApiObject) -> Patch:
    """Return the write that cancels a run."""
    return Patch.of(run, {"spec": {"cancel": True}})


def deletion(run: ApiObject) -> Delete:
    """Return the write that deletes a run."""
    return Delete.of(run)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_stalled(run: ApiObject) -> bool:
    """Return whether nobody works on the run any more, as one that cannot be read."""
    conditions = _mapping(run.get("status")).get("conditions")
    found = [_mapping(each) for each in conditions] if isinstance(conditions, list | tuple) else []
    return any(each.get("type") == "Stalled" and each.get("status") == "True" for each in found)
