"""Triggers of a home, fired by this process: their moments come while it runs, and so do the runs that they start.

Each Trigger is an object of the home, and decided about as on a cluster. Its runs are carried out one after the other;
while one is at work, moments that come are dealt with all the same. Runs that were made, or begun, before this process
are carried on with: so nothing is lost by ending it, and nothing comes twice.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Firing, Trigger, TriggerStatus
from penstock.decide.commands.trigger_progress import count_untold, firings_since
from penstock.decide.conditions import find
from penstock.decide.run_state import is_finished
from penstock.decide.trigger.own_runs import trigger_of
from penstock.local.locks import is_free
from penstock.local.looks import Looks
from penstock.local.manifests import TriggerManifests
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reconcile import Reconciler, Turn
from penstock.local.resources import Resources
from penstock.local.resume import apply_pipeline
from penstock.local.site import Laptop
from penstock_jobs.contract.errors import Refused

LONGEST_SLEEP = 5.0  # seconds: a machine that was asleep, and what other processes do, is seen so soon
LOOK_AT_WORK = 0.5  # seconds after which it is seen whether a look at files is over, while a run is at work


class Listener(Protocol):
    """Who is told what becomes of the moments and events of Triggers."""

    def firing(self, trigger: Trigger, firing: Firing) -> None:
        """Hear what became of a moment or an event."""

    def untold(self, trigger: Trigger, count: int) -> None:
        """Hear of how many more something became that is not told one by one."""

    def waits(self, trigger: Trigger) -> None:
        """Hear how the Trigger is now: its next moment, or why there is none."""


CarryOut = Callable[[str, Callable[[], Turn]], object]
"""Works on the run of that name until it has ended; meanwhile the second is to be called in each turn."""


@dataclass
class Watch:
    """Fires Triggers of the home.

    Args:
        resources: the resources of the home.
        triggers: the names of the Triggers.
        listener: who is told.
        carry_out: what works on a run.
        sleep: how the time until the next moment passes.
        longest_sleep: how many seconds pass at most between two looks.
    """

    resources: Resources
    triggers: Sequence[str]
    listener: Listener
    carry_out: CarryOut
    sleep: Callable[[float], None] = time.sleep
    longest_sleep: float = LONGEST_SLEEP
    looks: Looks = field(init=False)
    _told: dict[str, TriggerStatus | None] = field(default_factory=dict)
    _greeted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.looks = Looks(self.resources)

    def forever(self) -> None:
        """Fire them until this process is stopped; no look at files outlives it."""
        with closing(self.looks):
            while True:
                self.step()

    def step(self) -> None:
        """Do what is to be done now, or, where there is nothing, let a while pass."""
        turn = self.look()
        run = next(self._open_runs(), None)
        if run is not None:
            self.carry_out(run.metadata.name or "", self.look)
        elif not turn.wrote:
            moments = [each for each in (turn.requeue_after, self.longest_sleep) if each is not None]
            pass_time = self.looks.wait if self.looks.are_at_work else self.sleep
            pass_time(min(moments))

    def look(self) -> Turn:
        """Make all Triggers right, and tell what became of their moments."""
        turn = Turn()
        self.looks.wait()
        for name in self.triggers:
            self._told.setdefault(name, self.resources.get(Trigger, name).status)
            reconciler = self._reconciler(name)
            while (now := self._advance(name, reconciler)).wrote:
                turn = turn.and_also(Turn(wrote=True))
            turn = turn.and_also(now)
            self._tell(self.resources.get(Trigger, name))
        return turn.and_also(Turn(requeue_after=LOOK_AT_WORK)) if self.looks.are_at_work else turn

    def _advance(self, name: str, reconciler: Reconciler) -> Turn:
        looked = self.looks.control(self.resources.get(Trigger, name))
        return Turn(looked).and_also(reconciler.trigger(name))

    def _open_runs(self) -> Iterator[PipelineRun]:
        """Yield the runs of the Triggers that are to go on, and that no process works on, the oldest first."""
        uids = {self.resources.get(Trigger, name).metadata.uid for name in self.triggers}
        all_runs = self.resources.objects.all_of("PipelineRun")
        own = {each["metadata"]["name"] for each in all_runs if trigger_of(each) in uids}
        for run in self.resources.list(PipelineRun):
            waits = run.spec.suspend and not run.spec.cancel
            is_open = run.metadata.name in own and not is_finished(run) and not waits
            if is_open and is_free(self.resources.home.run_lock(run.metadata.uid or "")):
                yield run

    def _reconciler(self, name: str) -> Reconciler:
        pipeline = self.resources.get(Trigger, name).spec.pipeline_ref.name
        places = LaptopPlaces.of(self.resources.home, self.resources.find(Pipeline, pipeline))
        return Reconciler(Observer(self.resources.objects, Laptop(places)))

    def _tell(self, trigger: Trigger) -> None:
        name = trigger.metadata.name or ""
        before, after = self._told[name], trigger.status
        for each in firings_since(before, after):
            self.listener.firing(trigger, each)
        if untold := count_untold(before, after):
            self.listener.untold(trigger, untold)
        if name not in self._greeted or _outlook(before) != _outlook(after):
            self._greeted.add(name)
            self.listener.waits(trigger)
        self._told[name] = after


def _outlook(status: TriggerStatus | None) -> tuple[object, ...]:
    """Return what of a status says how it goes on."""
    if status is None:
        return ()
    ready, moment = find(status.conditions, "Ready"), status.next_schedule_time
    return moment, ready and (ready.status, ready.reason, ready.message if moment is None else None)


def apply_manifests(resources: Resources, given: TriggerManifests) -> list[str]:
    """Make the Pipelines and Triggers of the home as the manifests say; return the names of the Triggers.

    Raises:
        Refused: a Trigger's Pipeline is neither in the manifests nor in the home.
    """
    described = {pipeline.metadata.name for pipeline, _ in given.pipelines}
    for trigger in given.triggers:
        pipeline = trigger.spec.pipeline_ref.name
        if pipeline not in described and resources.find(Pipeline, pipeline) is None:
            raise Refused(
                f"The Trigger {trigger.metadata.name} runs the Pipeline {pipeline}, which is neither in these files "
                f"nor in {resources.home.root}; name its file too."
            )
    for manifest, folder in given.pipelines:
        apply_pipeline(resources, manifest, str(folder))
    return [_apply_trigger(resources, each) for each in given.triggers]


def _apply_trigger(resources: Resources, manifest: Trigger) -> str:
    """Make the Trigger as the manifest says; where its spec is as it was, what was missed meanwhile is made up for."""
    resources.create(manifest)

    def merged(there: Trigger) -> Trigger:
        metadata = msgspec.structs.replace(there.metadata, labels=manifest.metadata.labels)
        return msgspec.structs.replace(there, metadata=metadata, spec=manifest.spec)

    return resources.change(Trigger, manifest.metadata.name or "", merged).metadata.name or ""
