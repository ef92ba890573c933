"""Whether Triggers start runs at the ends of each other's runs, in a circle: that would go on for ever."""

from collections.abc import Sequence

from penstock.api.trigger import Trigger
from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import pipeline_of, watched_pipeline


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
        watched = watched_pipeline(each)
        if watched and not each["spec"].get("suspend") and not each["metadata"].get("deletionTimestamp"):
            found.setdefault(watched, set()).add(pipeline_of(each))
    return found
