"""`penstock models`, `predict`, `deploy`: saved Models, and which of them is served."""

from pathlib import Path

import click

from penstock.api.model import Model
from penstock.api.pipeline import Pipeline
from penstock.cli.deletion import delete_models
from penstock.cli.importing import import_models
from penstock.cli.names import model_names, pipeline_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import show, show_list
from penstock.cli.shown_models import COLUMNS, row_of
from penstock.cli.terminal import echo
from penstock.decide.serving import UNDONE_BY_A_MANIFEST, require_deployment, served_model, with_pin
from penstock.local.models import batch, find_model
from penstock.local.objects import utc_now
from penstock.local.process import stopping_on_signals
from penstock.local.reconcile import reconcile_pipeline
from penstock.local.resources import Resources


@click.group(invoke_without_command=True)
@click.option("--pipeline", shell_complete=pipeline_names, help="Only the Models of this Pipeline.")
@with_settings
def models(settings: LaptopSettings, pipeline: str | None) -> None:
    """List the Models: their scores, their origin, and which are served."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    resources = Resources(settings.home)
    if pipeline is not None:
        resources.get(Pipeline, pipeline)
    found = [model for model in resources.list(Model) if pipeline in (None, model.spec.origin.pipeline_ref.name)]
    served = {name for each in resources.list(Pipeline) if (name := served_model(each))}
    show_list(settings, found, COLUMNS, lambda model: row_of(model, utc_now(), served=model.metadata.name in served))


models.add_command(import_models)
models.add_command(delete_models)


@click.command()
@click.argument("model", shell_complete=model_names)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to", type=click.Path(path_type=Path), help="The file to write; FILE with -predictions in its name without it."
)
@with_settings
def predict(settings: LaptopSettings, model: str, file: Path, to: Path | None) -> None:
    """Predict each row of a file, through the inference server's own code.

    MODEL is a Model, or a Pipeline for the Model that it serves. FILE is CSV, JSON lines or Parquet.
    """
    output = to or file.with_name(f"{file.stem}-predictions{file.suffix}")
    resources = Resources(settings.home)
    with stopping_on_signals():
        found = find_model(resources, model)
        count = batch(resources, found, file, output)
    if settings.output != "table":
        show(settings, {"model": found.metadata.name, "rows": count, "file": str(output)})
    else:
        echo(f"{count:,} rows predicted by {found.metadata.name}: {output}")


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=model_names)
@click.option(
    "--pipeline",
    shell_complete=pipeline_names,
    help="The Pipeline that is to serve it; the one it came from without it.",
)
@click.option("--unpin", is_flag=True, help="MODEL is a Pipeline: let it serve again what its runs select.")
@with_settings
def deploy(settings: LaptopSettings, name: str, pipeline: str | None, *, unpin: bool) -> None:
    """Serve this Model, whatever runs propose: the way back to an older one."""
    resources = Resources(settings.home)
    if unpin:
        changed = _pin(resources, resources.get(Pipeline, name), None)
    else:
        model = resources.get(Model, name)
        changed = _pin(resources, resources.get(Pipeline, pipeline or model.spec.origin.pipeline_ref.name), name)
    if settings.output != "table":
        show(settings, changed)
    else:
        echo(f"{changed.metadata.name} serves {served_model(changed) or 'no Model'}.")
        if not unpin:
            echo(UNDONE_BY_A_MANIFEST)


def _pin(resources: Resources, pipeline: Pipeline, model: str | None) -> Pipeline:
    require_deployment(pipeline)
    name = pipeline.metadata.name or ""
    resources.change(Pipeline, name, lambda before: with_pin(before, model))
    return reconcile_pipeline(resources, name)
