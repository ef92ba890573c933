"""Runs of a Trigger that a person asks for on a laptop: put into the home, recorded, and found again after a stop."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun, PipelineRunSpec
from penstock.api.trigger import Trigger
from penstock.decide.run_state import is_finished
from penstock.decide.trigger.occasion import BY_HAND
from penstock.decide.trigger.own_runs import trigger_of
from penstock.local.locks import is_free
from penstock.local.objects import Object
from penstock.local.observe import Observer
from penstock.local.places import LaptopPlaces
from penstock.local.reconcile import Reconciler
from penstock.local.resources import Resources
from penstock.local.site import Laptop


def runs_of_trigger(resources: Resources, trigger: Trigger) -> list[Object]:
    """Return the runs of a Trigger, the oldest first."""
    return [run for run in resources.objects.all_of("PipelineRun") if trigger_of(run) == trigger.metadata.uid]


def runs_at_work(resources: Resources, trigger: Trigger) -> list[Object]:
    """Return the runs of a Trigger that a process works on: one that was cut short is in nobody's way."""
    home = resources.home
    return [
        run for run in runs_of_trigger(resources, trigger) if not is_free(home.run_lock(str(run["metadata"]["uid"])))
    ]


def unfinished_like(resources: Resources, wanted: Mapping[str, Any]) -> str | None:
    """Return the run by hand that was asked for in the same words, has not ended, and that no process works on."""
    spec = _but_for_event(msgspec.convert(wanted["spec"], PipelineRunSpec))
    all_runs = resources.objects.all_of("PipelineRun")
    own = {each["metadata"]["name"] for each in all_runs if trigger_of(each) == trigger_of(wanted)}
    for run in resources.list(PipelineRun):
        made_by = run.spec.trigger
        is_by_hand = made_by is not None and made_by.event is not None and made_by.event.type == BY_HAND
        is_same = run.metadata.name in own and is_by_hand and not is_finished(run) and _but_for_event(run.spec) == spec
        if is_same and is_free(resources.home.run_lock(run.metadata.uid or "")):
            return run.metadata.name
    return None


def create_runs(resources: Resources, trigger: Trigger, runs: Iterable[Mapping[str, Any]]) -> None:
    """Put these runs into the home, where they are not there already, and record them in the Trigger."""
    for run in runs:
        resources.objects.create(run)
    places = LaptopPlaces.of(resources.home, resources.find(Pipeline, trigger.spec.pipeline_ref.name))
    reconciler = Reconciler(Observer(resources.objects, Laptop(places)))
    while reconciler.record_by_hand(trigger.metadata.name or "").wrote:
        pass


def _but_for_event(spec: PipelineRunSpec) -> PipelineRunSpec:
    assert spec.trigger is not None
    made_by = msgspec.structs.replace(spec.trigger, event=None, scheduled_time=None)
    return msgspec.structs.replace(spec, trigger=made_by)
