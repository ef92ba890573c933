"""`penstock serve`: the deployed Model of a Pipeline, over HTTP."""

import socket

import click

from penstock.api.pipeline import Pipeline
from penstock.cli.names import pipeline_names
from penstock.cli.options import LaptopSettings, with_settings
from penstock.local.models import serve as become_server
from penstock.local.resources import Resources
from penstock_jobs.contract.errors import Refused


@click.command()
@click.argument("pipeline", shell_complete=pipeline_names)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 for any free one."
)
@with_settings
def serve(settings: LaptopSettings, pipeline: str, host: str, port: int) -> None:
    """Serve the deployed Model of a Pipeline until Ctrl-C.

    It answers the Open Inference Protocol (/v2/models/PIPELINE/infer) and rows as JSON (/v1/models/PIPELINE:predict);
    /openapi.json describes both.
    """
    resources = Resources(settings.home)
    found = resources.get(Pipeline, pipeline)
    _refuse_taken(host, port)
    become_server(resources, found, host, port)


def _refuse_taken(host: str, port: int) -> None:
    """Say in a sentence that the port is taken; the server would, in its log."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise Refused(
                f"{host}:{port} cannot be served on: {error.strerror}; choose another with --port."
            ) from error
