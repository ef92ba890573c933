"""What `penstock wait` waits for, and whether it has come: pure, of one object as the API server has it.

Unlike `kubectl wait` it sees a failure too: a run that ended otherwise than was hoped for, or an object that is
`Stalled`, will not come to what is waited for by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock_jobs.contract.errors import Refused

_BY_KIND = {"PipelineRun": "Succeeded", "Pipeline": "Ready", "Trigger": "Ready", "Model": "Ready"}


@dataclass(frozen=True)
class Goal:
    """A condition with a status, or the beginning (`create`) or the end (`delete`) of the object."""

    condition: str | None = None
    status: str = "True"
    existence: str | None = None

    def __str__(self) -> str:
        if self.existence:
            return self.existence
        return f"condition={self.condition}" + ("" if self.status == "True" else f"={self.status}")


@dataclass(frozen=True)
class WaitOutcome:
    """What came of the waiting: well or not, and a sentence."""

    well: bool
    sentence: str


def goal_of(text: str | None, kind: str) -> Goal:
    """Return the goal that `--for` names, in the words of `kubectl wait`; without it the one of the kind."""
    if text is None:
        return Goal(condition=_BY_KIND[kind])
    if text in ("create", "delete"):
        return Goal(existence=text)
    word, _, rest = text.partition("=")
    name, _, status = rest.partition("=")
    status = status or "True"
    if word != "condition" or not name or status.capitalize() not in ("True", "False", "Unknown"):
        raise Refused(f"--for is {text}; write condition=NAME, condition=NAME=False, create or delete.")
    return Goal(condition=name, status=status.capitalize())


def wait_outcome(
    goal: Goal, kind: str, name: str, found: Mapping[str, Any] | None, *, seen: bool
) -> WaitOutcome | None:
    """Return what came of it, None while there is something to wait for.

    Args:
        goal: what is waited for.
        kind: the kind of the object.
        name: its name.
        found: the object as it is now, None where there is none.
        seen: whether it was there before.
    """
    if goal.existence == "create":
        return None if found is None else WaitOutcome(well=True, sentence=f"{kind} {name} is there.")
    if found is None:
        gone = f"{kind} {name} was deleted while it was waited for." if seen else f"There is no {kind} {name}."
        if goal.existence == "delete":
            return WaitOutcome(well=True, sentence=f"{kind} {name} is gone.")
        return WaitOutcome(well=False, sentence=gone) if seen else None
    return None if goal.existence else _of_condition(goal, kind, name, found)


def state_sentence(kind: str, name: str, found: Mapping[str, Any] | None) -> str:
    """Return how the object is now, in a sentence: what somebody is told whose patience has ended."""
    if found is None:
        return f"there is no {kind} {name}."
    condition = _current(found, _BY_KIND[kind]) or _current(found, "Reconciling")
    if condition is None:
        return f"no operator has looked at {kind} {name} yet; is one running that watches its namespace?"
    return f"{condition['reason']}: {condition.get('message') or 'it gives no reason.'}"


def _of_condition(goal: Goal, kind: str, name: str, found: Mapping[str, Any]) -> WaitOutcome | None:
    assert goal.condition is not None
    condition = _current(found, goal.condition)
    if condition is not None and condition["status"] == goal.status:
        return WaitOutcome(well=True, sentence=_sentence(kind, name, condition))
    if condition is None and kind == "Model" and goal == Goal(condition="Ready"):
        return WaitOutcome(well=True, sentence=f"Model {name} is there.")  # a Model is complete from its beginning
    ended = _current(found, "Succeeded") if kind == "PipelineRun" else None
    if ended is not None and ended["status"] != "Unknown":
        return WaitOutcome(well=False, sentence=_sentence(kind, name, ended))
    stalled = _current(found, "Stalled")
    if stalled is not None and stalled["status"] == "True":
        return WaitOutcome(well=False, sentence=_sentence(kind, name, stalled))
    return None


def _current(found: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the condition of that type, where it is about the object as it is specified now."""
    generation = found["metadata"].get("generation") or 0
    for condition in (found.get("status") or {}).get("conditions") or ():
        if condition["type"] == name and condition.get("observedGeneration", generation) >= generation:
            current: Mapping[str, Any] = condition
            return current
    return None


def _sentence(kind: str, name: str, condition: Mapping[str, Any]) -> str:
    said = condition.get("message") or ""
    return f"{kind} {name}: {condition['reason']}" + (f": {said}" if said else ".")
