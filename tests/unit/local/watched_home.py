"""A home whose Triggers are watched, with a clock of its own: time passes only while it sleeps, or a run works."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineStatus, ServedModel
from penstock.api.run import (
    NewPointScores,
    PipelineReference,
    PipelineRun,
    PipelineRunSpec,
    PipelineRunStatus,
    Step,
    TestingSummary,
)
from penstock.api.schema import API_VERSION
from penstock.api.scores import PlainScore
from penstock.api.trigger import Firing, Trigger
from penstock.decide.run.draft import RunDraft
from penstock.local.home import Home
from penstock.local.manifests import TriggerManifests
from penstock.local.reconcile import Turn
from penstock.local.resources import Resources
from penstock.local.watch import Watch, apply_manifests
from unit.decide_run import examples_of_runs as examples

BEGINNING = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
HOURLY = {"cron": ["0 * * * *"]}


def pipeline(**spec: Any) -> Pipeline:
    made = examples.pipeline(**{"storage": None, **spec})
    return msgspec.convert({**made, "metadata": {"name": "churn"}}, Pipeline)


def trigger(name: str = "hourly", **spec: Any) -> Trigger:
    made = {
        "pipelineRef": {"name": "churn"},
        **({} if {"runs", "objects", "model"} & spec.keys() else {"schedule": HOURLY}),
        **spec,
    }
    kind = {"apiVersion": "penstock.dev/v1alpha1", "kind": "Trigger", "metadata": {"name": name}}
    return msgspec.convert({**kind, "spec": made}, Trigger)


@dataclass
class Listener:
    """Remembers what it is told."""

    firings: list[Firing] = field(default_factory=list)
    more: int = 0
    outlook: list[str | None] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def firing(self, trigger: Trigger, firing: Firing) -> None:
        self.firings.append(firing)

    def untold(self, trigger: Trigger, count: int) -> None:
        self.more += count

    def waits(self, trigger: Trigger) -> None:
        self.outlook.append(trigger.status.next_schedule_time if trigger.status else None)
        self.messages += [each.message for each in trigger.status.conditions[:1]] if trigger.status else []

    @property
    def outcomes(self) -> list[str]:
        return [each.outcome for each in self.firings]


class WatchedHome:
    """The home; `takes` is how long a run is at work, and `ends` how runs end, True for well.

    The Pipeline lies in the folder `data`, with these fields of its spec.
    """

    def __init__(
        self,
        folder: Path,
        *triggers: Trigger,
        takes: timedelta = timedelta(minutes=1),
        data: Path = Path("/data"),
        **spec: Any,
    ) -> None:
        self.manifest = pipeline(**spec), data
        self.now = BEGINNING
        self.takes = takes
        self.longest_sleep = 600.0
        self.ends: Callable[[str], bool] = lambda _: True
        self.worked_on: list[str] = []
        self.slept: list[float] = []
        self.resources = Resources(Home(folder), clock=lambda: self.now)
        self.triggers = triggers or (trigger(),)
        self.listener = Listener()
        self.watch = self.started_again()

    def started_again(self, *triggers: Trigger) -> Watch:
        """Return what another command has that watches the same files, or changed ones."""
        self.triggers = triggers or self.triggers
        names = apply_manifests(self.resources, TriggerManifests(self.triggers, (self.manifest,)))
        self.listener = Listener()
        self.watch = Watch(self.resources, names, self.listener, self._work, self._sleep, self.longest_sleep)
        return self.watch

    def until(self, **later: float) -> Listener:
        """Watch for so long."""
        end = self.now + timedelta(**later)
        while self.now < end:
            self.watch.step()
        return self.listener

    def runs(self) -> list[PipelineRun]:
        return self.resources.list(PipelineRun)

    def moments(self) -> list[str]:
        """Return the moments that have a run."""
        return sorted(run.spec.trigger.scheduled_time or "" for run in self.runs() if run.spec.trigger is not None)

    def found(self, name: str = "hourly") -> Trigger:
        return self.resources.get(Trigger, name)

    def counted(self) -> dict[str, int]:
        status = self.found().status
        assert status is not None
        assert status.counts is not None
        return msgspec.to_builtins(status.counts) | {"total": sum(msgspec.structs.astuple(status.counts))}

    def serve(self, model: str) -> None:
        """Say of the Pipeline that it serves a Model."""
        served = PipelineStatus(served_model=ServedModel(name=model, start_time=self.resources.objects.now()))
        self.resources.change(Pipeline, "churn", lambda there: msgspec.structs.replace(there, status=served))

    def test_served(self, name: str, model: str, *, score: float, points: int) -> None:
        """Let a person's run end that has tested the served Model on newer points."""
        self.now += timedelta(seconds=1)
        spec = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"))
        run = PipelineRun(api_version=API_VERSION, kind="PipelineRun", metadata=ObjectMeta(name=name), spec=spec)
        self.resources.create(run)
        scores = (PlainScore(name="roc_auc", value=repr(score)),)
        tested = TestingSummary(
            epoch=1,
            version=1,
            points=points,
            report="file:///report.html",
            new_points=NewPointScores(model=model, points=points, scores=scores),
        )
        step = Step(name="testing", state="Succeeded", testing=tested)
        self.resources.change(
            PipelineRun, name, lambda there: msgspec.structs.replace(there, status=PipelineRunStatus(steps=(step,)))
        )
        self.end(name)

    def end(self, name: str) -> None:
        """Say of a run that it has ended."""
        well, now = self.ends(name), self.resources.objects.now()

        def ended(run: PipelineRun) -> PipelineRun:
            return RunDraft(run).outcome("True" if well else "False", "Completed", "It is over.", now).run

        self.resources.change(PipelineRun, name, ended)

    def _work(self, name: str, beside: Callable[[], Turn]) -> None:
        self.worked_on.append(name)
        end = self.now + self.takes
        while self.now < end:
            again = beside().requeue_after
            if self.resources.get(PipelineRun, name).spec.cancel:
                break
            self.now += min(end - self.now, timedelta(seconds=max(again or 3600.0, 1.0)))
        self.end(name)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=max(seconds, 0.001))
