"""Which kinds are reconciled, and how: what observes each, and what decides."""

from collections.abc import Callable, Mapping
from datetime import datetime

from penstock.act.identities import Identities
from penstock.act.observe import RunObserver
from penstock.act.observe_files import ModelObserver, RecordObserver
from penstock.act.observe_pipelines import PipelineObserver
from penstock.act.observe_triggers import TriggerObserver
from penstock.act.reconciler import Controller
from penstock.act.view import View
from penstock.decide.cleaning.models import decide as decide_model
from penstock.decide.cleaning.reconcile import decide as decide_record
from penstock.decide.run.reconcile import decide as decide_run
from penstock.decide.settings import Settings
from penstock.decide.trigger.reconcile import decide as decide_trigger
from penstock.kubernetes.client import Client


def controllers(
    view: View, client: Client, settings: Settings, now: Callable[[], datetime]
) -> Mapping[str, Controller]:
    """Return how each kind is reconciled, by kind."""
    identities, pipelines = Identities(client), PipelineObserver(view, settings, now)
    return {
        "ControllerRevision": Controller(RecordObserver(view, client, identities, settings), decide_record),
        "Model": Controller(ModelObserver(view, identities, settings), decide_model),
        "Pipeline": Controller(pipelines, pipelines.decide),
        "PipelineRun": Controller(RunObserver(view, client, identities, settings, now), decide_run),
        "Trigger": Controller(TriggerObserver(view, settings), decide_trigger),
    }
