"""The run of a Trigger that a person asks for now: recorded as its other runs are, and made by a rule or two fewer.

A Trigger that is suspended, or that has stopped for its failures, starts nothing by itself; a person may. Nor is its
filter asked. But what a live run of it means for the next one holds here too: under `Forbid` it is refused, unless the
person says otherwise, and under `Replace` the live one is cancelled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRunSpec
from penstock.api.trigger import Trigger
from penstock.decide.decision import ApiObject, Patch
from penstock.decide.objects.children import as_json
from penstock.decide.overriding import override_pipeline
from penstock.decide.parameters import run_parameters
from penstock.decide.trigger.concurrency import Room, room_for_run
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.make_run import make_run
from penstock.decide.trigger.observation import TriggerObservation
from penstock.decide.trigger.occasion import by_hand
from penstock_jobs.contract.errors import Refused

PERSON = "penstock trigger"
"""The source of the events that a person is, as the runs and the history name it."""


@dataclass(frozen=True)
class RunByHand:
    """The run to make, what is to be cancelled before it, and what the person should know."""

    run: dict[str, Any]
    cancellations: tuple[Patch, ...] = ()
    remarks: tuple[str, ...] = ()


def run_by_hand(
    trigger: Trigger,
    pipeline: Pipeline | None,
    own_runs: Sequence[ApiObject],
    given: Mapping[str, str],
    *,
    now: datetime,
    identity: str,
    force: bool = False,
) -> RunByHand:
    """Return the run of a Trigger that a person asks for.

    Args:
        trigger: the Trigger.
        pipeline: the Pipeline that it runs, None where it is not there; then the run waits for it.
        own_runs: the runs of the Trigger.
        given: values of parameters, as text, in place of the Trigger's.
        now: the time of asking.
        identity: what tells this time of asking from all others.
        force: make it beside a live run, whatever the Trigger's concurrency policy says.

    Raises:
        Refused: another run of the Trigger is in the way, or the parameters are not as the Pipeline has them.
    """
    room = Room() if force else _room(trigger, own_runs, now)
    if room.held_by is not None:
        raise Refused(
            f"The run {room.held_by} of the Trigger {trigger.metadata.name} is live, and its concurrencyPolicy is "
            "Forbid; wait for its end, cancel it, or add --force to run beside it."
        )
    made = make_run(trigger, by_hand(PERSON, now, identity), given=given)
    refuse_parameters(pipeline, made)
    replaced = tuple(f"It takes the place of {name}, which is cancelled." for name in room.replaced_names)
    return RunByHand(made, room.cancellations, (*remarks_on(trigger), *replaced))


def remarks_on(trigger: Trigger) -> tuple[str, ...]:
    """Return what a person should know who asks for runs of this Trigger."""
    if trigger.spec.suspend:
        return (f"{trigger.metadata.name} is suspended, and starts nothing by itself; by hand it does.",)
    return ()


def refuse_parameters(pipeline: Pipeline | None, made: Mapping[str, Any]) -> None:
    """Raise `Refused` where the Pipeline cannot be run with the parameters of this run."""
    if pipeline is None:
        return
    spec = msgspec.convert(made["spec"], PipelineRunSpec)
    moment = spec.trigger.scheduled_time if spec.trigger is not None else None
    # What rights the person has is asked where the run is made, by the API server.
    run_parameters(override_pipeline(pipeline, spec.overrides, rights_checked=True).spec, spec, moment)


def _room(trigger: Trigger, own_runs: Sequence[ApiObject], now: datetime) -> Room:
    seen = TriggerObservation(trigger=as_json(trigger), own_runs=own_runs)
    return room_for_run(TriggerFacts(seen, trigger, now), behind_waiting=False)
