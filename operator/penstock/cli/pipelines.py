"""`penstock pipelines`: the Pipelines of the home."""

from functools import partial

import click

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.cli.deletion import delete_pipelines
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import age, show_list
from penstock.decide.serving import pinned_model, served_model
from penstock.local.objects import utc_now
from penstock.local.reading import runs_of
from penstock.local.resources import Resources


@click.group(invoke_without_command=True)
@with_settings
def pipelines(settings: LaptopSettings) -> None:
    """List the Pipelines: which Model each serves, and how many runs it had."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    resources = Resources(settings.home)
    columns = ("name", "served Model", "chosen by", ">runs", ">age")
    show_list(settings, resources.list(Pipeline), columns, partial(_row, resources))


pipelines.add_command(delete_pipelines)


def _row(resources: Resources, pipeline: Pipeline) -> tuple[object, ...]:
    return (
        pipeline.metadata.name,
        _served(resources, pipeline),
        _chooser(pipeline),
        len(runs_of(resources, pipeline.metadata.name or "")),
        age(pipeline.metadata.creation_timestamp, utc_now()),
    )


def _served(resources: Resources, pipeline: Pipeline) -> str | None:
    """Return the Model that is served, and that it is gone where it is: then nothing can serve it."""
    name = served_model(pipeline)
    return name if name is None or name in resources.names(Model) else f"{name} (gone)"


def _chooser(pipeline: Pipeline) -> str:
    served = pipeline.status.served_model if pipeline.status else None
    if served is None:
        return ""
    return "hand" if pinned_model(pipeline) else served.selected_by or ""
