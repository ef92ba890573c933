"""What a live run of the Trigger means for the next one: nothing, that it does not start, or that it is replaced.

Judged from runs as they are. One that has ended, is cancelled or deleted, or that nobody works on any more, is in
nobody's way; and nothing is ever done to a run that is not this Trigger's.
"""

from dataclasses import dataclass

from penstock.decide.decision import ApiObject, Patch
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.facts import TriggerFacts


@dataclass(frozen=True)
class Room:
    """Whether a run may start: `held_by` is the run that forbids it, `replaced` are those that are cancelled for it."""

    held_by: str | None = None
    replaced: tuple[ApiObject, ...] = ()

    @property
    def cancellations(self) -> tuple[Patch, ...]:
        """The writes that cancel those that are replaced."""
        return tuple(own_runs.cancel(run) for run in self.replaced)

    @property
    def replaced_names(self) -> tuple[str, ...]:
        """The names of those that are replaced."""
        return tuple(str(run["metadata"]["name"]) for run in self.replaced)


def room_for_run(facts: TriggerFacts, *, behind_waiting: bool = True) -> Room:
    """Return whether a run may start now; `behind_waiting` where those that wait to begin go first as well."""
    before = (*facts.live, *(facts.waiting if behind_waiting else ()))
    match facts.spec.concurrency_policy:
        case "Forbid" if before:
            return Room(held_by=str(before[0]["metadata"]["name"]))
        case "Replace":
            return Room(replaced=before)
    return Room()
