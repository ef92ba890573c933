"""Which kinds are reconciled, and how: what observes each, and what decides."""

from collections.abc import Callable, Mapping
from datetime import datetime

from penstock.act.client import Client
from penstock.act.observe import RunObserver
from penstock.act.observe_pipelines import PipelineObserver
from penstock.act.reconciler import Controller
from penstock.act.view import View
from penstock.decide.pipeline.reconcile import decide as decide_pipeline
from penstock.decide.run.reconcile import decide as decide_run
from penstock.decide.settings import Settings


def controllers(
    view: View, client: Client, settings: Settings, now: Callable[[], datetime]
) -> Mapping[str, Controller]:
    """Return how each kind is reconciled, by kind."""
    return {
        "Pipeline": Controller(PipelineObserver(view, settings), decide_pipeline),
        "PipelineRun": Controller(RunObserver(view, client, settings, now), decide_run),
    }
