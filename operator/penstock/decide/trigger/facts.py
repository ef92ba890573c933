"""What a Trigger's reconcile knows: the observation, decoded as far as it is needed, and questions to it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from penstock.api.decoding import Unreadable, decode
from penstock.api.pipeline import Pipeline
from penstock.api.trigger import Trigger, TriggerSpec, TriggerStatus
from penstock.decide.decision import ApiObject
from penstock.decide.times import read_time, write_time
from penstock.decide.trigger import own_runs
from penstock.decide.trigger.make_run import run_name
from penstock.decide.trigger.observation import TriggerObservation
from penstock.decide.trigger.occasion import Occasion


@dataclass(frozen=True)
class TriggerFacts:
    """A Trigger that could be decoded, and what is observed of it now."""

    observation: TriggerObservation
    trigger: Trigger
    now: datetime

    @property
    def spec(self) -> TriggerSpec:
        """The Trigger's spec."""
        return self.trigger.spec

    @property
    def status(self) -> TriggerStatus:
        """The status as it is, empty where there is none yet."""
        return self.trigger.status or TriggerStatus()

    @property
    def generation(self) -> int | None:
        """The generation of its spec."""
        return self.trigger.metadata.generation

    @property
    def time(self) -> str:
        """The moment, as a status keeps it."""
        return write_time(self.now)

    @cached_property
    def pipeline(self) -> Pipeline | None:
        """The Pipeline that it runs, where that is there and can be read."""
        found = self.observation.pipeline
        pipeline = None if found is None else decode(found, Pipeline)
        return None if isinstance(pipeline, Unreadable) else pipeline

    @cached_property
    def own_runs(self) -> tuple[ApiObject, ...]:
        """Its runs, in the order of what they are for."""
        return tuple(sorted(self.observation.own_runs, key=own_runs.oldest_first))

    @cached_property
    def live(self) -> tuple[ApiObject, ...]:
        """Its runs that are at work, or about to be."""
        return tuple(run for run in self.own_runs if own_runs.is_live(run))

    @cached_property
    def waiting(self) -> tuple[ApiObject, ...]:
        """Its runs that wait until it lets them begin, in the order of what they are for."""
        return tuple(run for run in self.own_runs if own_runs.is_waiting(run))

    @cached_property
    def _by_name(self) -> dict[str, ApiObject]:
        return {str(run["metadata"]["name"]): run for run in self.own_runs}

    def run_for(self, occasion: Occasion) -> ApiObject | None:
        """Return the run that was made for that occasion, where it is there."""
        return self._by_name.get(run_name(self.trigger, occasion))

    @property
    def baseline(self) -> datetime:
        """Up to when everything is dealt with; the Trigger has begun."""
        times = (self.status.start_time, self.status.last_schedule_time)
        return max((read_time(each) for each in times if each is not None), default=self.now)
