"""The schedule of a Trigger, out of its manifest."""

from penstock.api.trigger import Trigger
from penstock.decide.trigger import moments
from penstock.decide.trigger.schedule import Schedule


def schedule_of(trigger: Trigger) -> Schedule | None:
    """Return when the Trigger fires, or None where no schedule says so."""
    source = trigger.spec.schedule
    return None if source is None else moments.schedule_of(trigger, source)
