"""`penstock pipelines`: the Pipelines of the home."""

import click

from penstock.api.pipeline import Pipeline
from penstock.cli.options import Settings, with_settings
from penstock.cli.output import age, rows, show_all, table
from penstock.decide.serving import pinned_model, served_model
from penstock.local.beginning import runs_of
from penstock.local.resources import Resources, utc_now


@click.command()
@with_settings
def pipelines(settings: Settings) -> None:
    """List the Pipelines: which Model each serves, and how many runs it had."""
    resources = Resources(settings.home)
    found = resources.list(Pipeline)
    if settings.output != "table":
        show_all(settings, found)
        return
    made = table("name", "served Model", "chosen by", ">runs", ">age")
    content = [
        (each.metadata.name, served_model(each), _chosen(each), len(runs_of(resources, each.metadata.name or "")),
         age(each.metadata.creation_timestamp, utc_now()))
        for each in found
    ]  # fmt: skip
    settings.results.print(rows(made, content))


def _chosen(pipeline: Pipeline) -> str:
    served = pipeline.status.served_model if pipeline.status else None
    if served is None:
        return ""
    return "hand" if pinned_model(pipeline) else served.selected_by or ""
