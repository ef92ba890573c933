"""The loop of a home: observe, decide, carry out, for Triggers, runs, their Pipelines and Models, and records of files.

A Pipeline is made right by one process at a time. Its servers are started by hand (`penstock serve`), so the Deployment
of a Model is available as soon as it is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from penstock.api.pipeline import Pipeline
from penstock.decide.cleaning.models import decide as decide_model
from penstock.decide.cleaning.reconcile import decide as decide_record
from penstock.decide.cleaning.record import Record, read
from penstock.decide.commands.record_by_hand import decide as decide_by_hand
from penstock.decide.decision import ApiObject, Decision
from penstock.decide.objects.children import PIPELINE
from penstock.decide.observed.listers import pipeline_of
from penstock.decide.pipeline.reconcile import decide as decide_pipeline
from penstock.decide.run.reconcile import decide as decide_run
from penstock.decide.trigger.reconcile import decide as decide_trigger
from penstock.local.apply import carry_out
from penstock.local.job_controller import JobController
from penstock.local.locks import hold_lock
from penstock.local.objects import Object, Objects
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.resources import Resources
from penstock.local.site import Laptop


@dataclass(frozen=True)
class Turn:
    """What came of a look: whether anything was written, and in how many seconds there is more to do."""

    wrote: bool = False
    requeue_after: float | None = None

    def and_also(self, other: "Turn") -> "Turn":
        """Return what came of both."""
        moments = [each for each in (self.requeue_after, other.requeue_after) if each is not None]
        return Turn(self.wrote or other.wrote, min(moments, default=None))


@dataclass(frozen=True)
class Reconciler:
    """Makes the objects of a home right."""

    observer: Observer

    @property
    def objects(self) -> Objects:
        """The objects of the home."""
        return self.observer.objects

    def run(self, name: str) -> Turn:
        """Make a run right, as far as it can be now, and its Pipeline and Models."""
        run = self.objects.find("PipelineRun", name)
        if run is None:
            return Turn()
        uid, pipeline = run["metadata"]["uid"], pipeline_of(run)
        turn = self._settle(self.objects.of_run(uid), run, self.observer.run, decide_run)
        return turn.and_also(self.pipeline(pipeline))

    def pipeline(self, name: str) -> Turn:
        """Make a Pipeline right, and its Models before that: what is to go with one is recorded while it is there."""
        turn = Turn()
        for model in self.objects.all_of("Model"):
            if (model["metadata"].get("labels") or {}).get(PIPELINE) == name:
                turn = turn.and_also(self.model(model))
        with hold_lock(self.objects.home.lock(f"deployment-{name}")):
            available = self._make_available(name)
            pipeline = self.objects.find("Pipeline", name)
            if pipeline is None:
                return turn
            settled = self._settle(self.objects, pipeline, self.observer.pipeline, decide_pipeline)
        return turn.and_also(Turn(available)).and_also(settled)

    def model(self, model: ApiObject) -> Turn:
        """Make a Model right: what is to go with it is recorded."""
        return self._settle(self.objects, model, self.observer.model, decide_model)

    def trigger(self, name: str) -> Turn:
        """Make a Trigger right: make, release or cancel runs of it, and say what became of moments and events."""
        return self._trigger(name, decide_trigger)

    def record_by_hand(self, name: str) -> Turn:
        """Say in a Trigger which runs by hand it has, and deal with no moment."""
        return self._trigger(name, decide_by_hand)

    def _trigger(self, name: str, decide: Callable[[Any, datetime], Decision]) -> Turn:
        with hold_lock(self.objects.home.lock(f"trigger-{name}")):
            trigger = self.objects.find("Trigger", name)
            if trigger is None:
                return Turn()
            own = self.objects.of_trigger(trigger["metadata"]["uid"])
            return self._settle(own, trigger, self.observer.trigger, decide)

    def records(self, pipeline: str) -> Turn:
        """Make the records of files right that are of a Pipeline: old logs, and what was deleted."""
        turn = Turn()
        for record in self.observer.records():
            if record["metadata"]["labels"].get(PIPELINE) == pipeline:
                run = self.objects.of_run(_run_uid_in(record))
                turn = turn.and_also(self._settle(run, record, self.observer.record, decide_record))
        return turn

    def tidy(self, pipeline: str, jobs: JobController) -> None:
        """Let go what is beyond the Pipeline's retention; what cannot be reached now is for the next time."""
        while True:
            turn = Turn(jobs.control()).and_also(self.pipeline(pipeline)).and_also(self.records(pipeline))
            if turn.wrote:
                continue
            if not jobs.kubelet.at_work:
                return
            jobs.kubelet.wait(None)

    def _settle(
        self,
        objects: Objects,
        subject: ApiObject,
        observe: Callable[[ApiObject], Any],
        decide: Callable[[Any, datetime], Decision],
    ) -> Turn:
        observation = observe(subject)
        decision = decide(observation, self.objects.clock())
        outcome = carry_out(objects, subject, decision)
        if outcome.refused is not None:
            observation = replace(observation, refused=outcome.refused)
            decision = replace(decide(observation, self.objects.clock()), writes=())
            outcome = carry_out(objects, subject, decision)
        return Turn(outcome.wrote, decision.requeue_after)

    def _make_available(self, pipeline: str) -> bool:
        """Say of each Deployment that it has what it asks for."""
        changed = False
        for there in self.objects.all_of("Deployment"):
            if there["metadata"]["labels"].get(PIPELINE) == pipeline:
                name = str(there["metadata"]["name"])
                changed = self.objects.change("Deployment", name, _available) is not None or changed
        return changed


def _available(deployment: Object) -> Object:
    replicas = deployment["spec"].get("replicas", 1)
    generation = deployment["metadata"]["generation"]
    status = {"observedGeneration": generation, "replicas": replicas, "availableReplicas": replicas}
    return {**deployment, "status": status}


def _run_uid_in(there: ApiObject) -> str | None:
    record = read(there)
    return record.uid if isinstance(record, Record) and record.kind == "PipelineRun" else None


def reconcile_pipeline(resources: Resources, name: str) -> Pipeline:
    """Make a Pipeline right until there is nothing more to do now, and return it."""
    site = Laptop(LaptopPlaces.of(resources.home, resources.find(Pipeline, name)))
    reconciler = Reconciler(Observer(resources.objects, site))
    while reconciler.pipeline(name).wrote:
        pass
    return resources.get(Pipeline, name)
