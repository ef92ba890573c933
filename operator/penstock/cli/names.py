"""Completion of the names of resources, from the home."""

import os
from collections.abc import Callable
from typing import Any

import click

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRun
from penstock.api.trigger import Trigger
from penstock.local.home import find_home
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import JobError

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def name_completer(kind: Any) -> Complete:
    """Return what completes the name of a Pipeline, a PipelineRun, a Trigger or a Model."""

    def complete(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        try:
            resources = Resources(find_home(context.params.get("home"), os.environ))
            return [name for name in resources.names(kind) if name.startswith(typed)]
        except JobError:
            return []

    return complete


pipeline_names = name_completer(Pipeline)
run_names = name_completer(PipelineRun)
model_names = name_completer(Model)
trigger_names = name_completer(Trigger)


def described_names(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the name of a run, or of a Trigger as `trg/NAME`."""
    triggers = trigger_names(context, parameter, typed.removeprefix("trg/")) if typed.startswith("trg/") else []
    return [*run_names(context, parameter, typed), *(f"trg/{name}" for name in triggers)]
