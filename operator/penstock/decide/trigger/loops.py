"""Whether Triggers start runs at the ends of each other's runs, in a circle: that would go on for ever."""

from collections.abc import Sequence

from penstock.api.trigger import Trigger
from penstock.decide.decision import ApiObject


def find_loop(trigger: Trigger, triggers: Sequence[ApiObject]) -> tuple[str, ...]:
    """Return the Pipelines of the circle that this Trigger closes, each once; empty where there is none.

    Args:
        trigger: a Trigger that is not suspended.
        triggers: those of the namespace; of these too the suspended ones start nothing.
    """
    if trigger.spec.runs is None:
        return ()
    begin, end = trigger.spec.pipeline_ref.name, trigger.spec.runs.pipeline_ref.name
    starts = _starts(triggers)
    way: dict[str, str | None] = {begin: None}
    ahead = [begin]
    while ahead and end not in way:
        here = ahead.pop(0)
        for after in sorted(starts.get(here, ())):
            if after not in way:
                way[after] = here
                ahead.append(after)
    if end not in way:
        return ()
    found: list[str] = []
    at: str | None = end
    while at is not None:
        found.append(at)
        at = way[at]
    return tuple(reversed(found))


def _starts(triggers: Sequence[ApiObject]) -> dict[str, set[str]]:
    """Return, for each Pipeline, those of which a run starts at the end of one of its."""
    found: dict[str, set[str]] = {}
    for each in triggers:
        spec = each["spec"]
        watched, run = _name(spec.get("runs")), _name(spec)
        if watched and run and not spec.get("suspend") and not each["metadata"].get("deletionTimestamp"):
            found.setdefault(watched, set()).add(run)
    return found


def _name(within: object) -> str | None:
    """Return the name that a `pipelineRef` says, of whatever can be read."""
    reference = within.get("pipelineRef") if isinstance(within, dict) else None
    name = reference.get("name") if isinstance(reference, dict) else None
    return name if isinstance(name, str) else None
