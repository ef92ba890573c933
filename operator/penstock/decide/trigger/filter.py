"""Whether an occasion fulfils the Trigger's `filter`: a condition in CEL over the event and the Pipeline's last run."""

from collections.abc import Mapping
from typing import Any

from penstock.api.trigger import Trigger
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import RunLister
from penstock.decide.retention.runs import steps_of
from penstock.decide.trigger.expressions import evaluate
from penstock.decide.trigger.occasion import Occasion
from penstock_jobs.contract.errors import Refused

FIELD = "spec.filter"
_NONE_YET = {"run": "", "result": "", "reason": "", "verdict": "", "scores": {}}


def passes_filter(trigger: Trigger, occasion: Occasion, runs: RunLister) -> bool:
    """Return whether a run is to start.

    Args:
        trigger: the Trigger.
        occasion: the moment or event.
        runs: those of the Pipeline; they are looked at only where the filter speaks of the last one.

    Raises:
        Refused: the filter comes to nothing, or to something else than true or false.
    """
    if trigger.spec.filter is None:
        return True
    last = last_result(runs) if "last" in trigger.spec.filter else {}
    found = evaluate(trigger.spec.filter, FIELD, {**occasion.variables(), "last": last})
    if not isinstance(found, bool):
        raise Refused(f"{FIELD} comes to {type(found).__name__}; let it come to true or false.")
    return found


def last_result(runs: RunLister) -> dict[str, Any]:
    """Return what `last` is in a filter: of the run that ended last; every field is empty where none has."""
    newest = runs.last_ended()
    return dict(_NONE_YET) if newest is None else result_of(newest)


def result_of(run: ApiObject) -> dict[str, Any]:
    """Return how a run ended, as expressions see it."""
    conditions = (run.get("status") or {}).get("conditions") or ()
    succeeded: Mapping[str, Any] = next((each for each in conditions if each.get("type") == "Succeeded"), {})
    reason = str(succeeded.get("reason") or "")
    result = "Succeeded" if succeeded.get("status") == "True" else "Cancelled" if reason == "Cancelled" else "Failed"
    steps = {step.get("name"): step for step in steps_of(run)}
    decided = steps.get("deployment", {}).get("deployment") or {}
    return {
        "run": str(run["metadata"]["name"]),
        "result": result,
        "reason": reason,
        "verdict": str(decided.get("verdict") or ""),
        "scores": _scores(steps.get("testing", {}).get("testing") or {}, decided.get("challenger")),
    }


def _scores(testing: Any, challenger: str | None) -> dict[str, float]:
    """Return the scores of the Model that met the gate, or of the first that was tested, by their names."""
    models = testing.get("models") or ()
    tested: Mapping[str, Any] = next(
        (each for each in models if each.get("name") == challenger), next(iter(models), {})
    )
    return numbers_in(tested.get("scores"))


def numbers_in(scores: Any) -> dict[str, float]:
    """Return scores, as the status of a run has them, by their names; without what is no number."""
    return {str(each["name"]): float(each["value"]) for each in scores or () if _is_number(each)}


def _is_number(score: Any) -> bool:
    try:
        float(score["value"])
    except (KeyError, TypeError, ValueError):
        return False
    return True
