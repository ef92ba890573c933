"""What a Trigger says of runs by hand where nothing fires it by itself: on a laptop, while nobody watches it."""

from datetime import datetime

from penstock.api.decoding import Unreadable, decode
from penstock.api.trigger import Trigger
from penstock.decide.decision import Decision
from penstock.decide.trigger.begin import has_begun
from penstock.decide.trigger.delivery import carry_out_decisions, record_begun
from penstock.decide.trigger.draft import TriggerDraft, to_decision
from penstock.decide.trigger.facts import TriggerFacts
from penstock.decide.trigger.observation import TriggerObservation


def decide(observation: TriggerObservation, now: datetime) -> Decision:
    """Return how the runs by hand are recorded; no moment is dealt with. One that nobody has watched yet waits."""
    trigger = decode(observation.trigger, Trigger)
    if isinstance(trigger, Unreadable):
        return Decision()
    facts = TriggerFacts(observation, trigger, now)
    if not has_begun(facts):
        return Decision()
    draft = TriggerDraft(trigger, facts.time)
    return to_decision(trigger, record_begun(facts, carry_out_decisions(facts, draft)), now)
