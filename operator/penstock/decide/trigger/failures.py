"""Whether so many runs of the Trigger failed, one after the other, that it starts no more."""

from penstock.decide.decision import ApiObject
from penstock.decide.observed.listers import has_ended
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.filter import result_of


def failed_in_a_row(facts: TriggerFacts) -> tuple[str, ...]:
    """Return the names of the newest runs under this spec that failed with none between them that succeeded.

    One that was cancelled neither counts nor ends the row.
    """
    ended = [run for run in facts.own_runs if has_ended(run) and own_runs.has_generation(run, facts.generation)]
    found: list[str] = []
    for run in sorted(ended, key=_end, reverse=True):
        result = result_of(run)["result"]
        if result == "Succeeded":
            break
        if result == "Failed":
            found.append(str(run["metadata"]["name"]))
    return tuple(found)


def _end(run: ApiObject) -> tuple[str, str]:
    return str(run["status"].get("completionTime") or ""), str(run["metadata"]["name"])
