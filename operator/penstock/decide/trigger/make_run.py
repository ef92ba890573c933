"""The run that a Trigger makes for an occasion: under a name of its own, so that the API server refuses a second."""

from collections.abc import Mapping
from typing import Any

from penstock.api.run import MadeBy, PipelineRunSpec
from penstock.api.schema import API_VERSION
from penstock.api.trigger import Trigger
from penstock.decide.objects import children
from penstock.decide.times import write_time
from penstock.decide.trigger.occasion import Occasion, is_by_hand
from penstock.decide.trigger.parameters import resolve_parameters


def make_run(
    trigger: Trigger, occasion: Occasion, *, waits: bool = False, given: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the run to create.

    Whoever makes one outside of the Trigger's reconcile, as the receiver of events or a person, makes one that waits:
    it is suspended, and the reconcile lets it begin, or cancels it, and says why. One by hand begins at once, and is
    recorded.

    Args:
        trigger: the Trigger, as the API server has it.
        occasion: what the run is for.
        waits: whether it waits until the Trigger's reconcile decides about it.
        given: values of parameters, as text, in place of the Trigger's.

    Raises:
        Refused: an expression of the Trigger gives no value for this occasion.
    """
    owner = owner_of(trigger)
    made = children.metadata(owner, run_name(trigger, occasion), children.labels(owner))
    if waits or (is_by_hand(occasion.event)):
        made["labels"] |= {children.TRIGGER_AWAITED: "true"}
    run = trigger.spec.run
    spec = PipelineRunSpec(
        pipeline_ref=trigger.spec.pipeline_ref,
        execution_name=run.execution_name,
        jobs=run.jobs,
        parameters=resolve_parameters(trigger.spec.parameters, occasion, given or {}),
        overrides=run.overrides,
        storage=run.storage,
        credentials=run.credentials,
        timeout=run.timeout,
        trigger=made_by(trigger, occasion),
        suspend=waits,
    )
    return {"apiVersion": API_VERSION, "kind": "PipelineRun", "metadata": made, "spec": children.as_json(spec)}


def run_name(trigger: Trigger, occasion: Occasion) -> str:
    """Return the name of the run for an occasion: the same each time, and of no other occasion or Trigger."""
    return children.child_name(owner_of(trigger), occasion.identity)


def made_by(trigger: Trigger, occasion: Occasion) -> MadeBy:
    """Return what the run says of why it was made."""
    return MadeBy(
        name=trigger.metadata.name or "",
        uid=trigger.metadata.uid or "",
        generation=trigger.metadata.generation,
        scheduled_time=write_time(occasion.time),
        event=occasion.event,
    )


def owner_of(trigger: Trigger) -> children.Owner:
    """Return a Trigger as the owner of its runs."""
    metadata = trigger.metadata
    return children.Owner(
        metadata.namespace or "",
        metadata.name or "",
        metadata.uid or "",
        trigger.spec.pipeline_ref.name,
        kind="Trigger",
    )
