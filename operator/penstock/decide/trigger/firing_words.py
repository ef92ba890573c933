"""What the history says of a run that starts, by what it was made for: the same whenever it is asked."""

from penstock.api.trigger import Firing
from penstock.decide import reasons
from penstock.decide.decision import ApiObject
from penstock.decide.trigger import messages, own_runs
from penstock.decide.trigger.draft import firing_of
from penstock.decide.trigger.occasion import (
    BACKFILL,
    BY_HAND,
    FILES_ARRIVED,
    MODEL_WORSE,
    PIPELINE_CHANGED,
    RUN_ENDED,
    model_of,
)


def fired(run: ApiObject, *, late: bool = False, besides: str = "") -> Firing:
    """Return what the history says of a run that starts; `besides` is what else there is to say."""
    reason, message = _why(run, late=late)
    return firing_of(run, "Fired", reason, f"{message}{besides}")


def _why(run: ApiObject, *, late: bool) -> tuple[str, str]:
    event = own_runs.event_of(run)
    if event is None:
        return reasons.SCHEDULED, messages.fired_late() if late else messages.fired_on_time()
    source = str(event.get("source") or "")
    match event.get("type"):
        case t if t in (BY_HAND, BACKFILL):
            return reasons.BY_HAND, messages.fired_by_hand(source or "Somebody")
        case t if t == RUN_ENDED:
            return reasons.RUN_ENDED, messages.fired_after(source)
        case t if t == FILES_ARRIVED:
            return reasons.FILES_ARRIVED, messages.fired_for_files(source)
        case t if t == PIPELINE_CHANGED:
            return reasons.PIPELINE_CHANGED, messages.fired_for_pipeline(source)
        case t if t == MODEL_WORSE:
            return reasons.MODEL_WORSE, messages.fired_for_model(model_of(event) or "", source)
    return reasons.EVENT_RECEIVED, messages.fired_for_event()
