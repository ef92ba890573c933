"""`penstock validate`: what a cluster would refuse, found before it is asked."""

from pathlib import Path

import click

from penstock.api import validate_file
from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.output import show
from penstock.cli.terminal import echo
from penstock_jobs.contract.errors import REFUSED


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@with_settings
def validate(settings: LaptopSettings, files: tuple[Path, ...]) -> int:
    """Check manifests against the schema and the rules of the CRDs, with field and line; no cluster is asked."""
    findings = [finding for file in files for finding in validate_file(file)]
    if settings.output != "table":
        fields = ("file", "line", "column", "field", "sentence")
        show(settings, [{name: getattr(finding, name) for name in fields} for finding in findings])
    else:
        for finding in findings:
            echo(str(finding))  # the sentence names the field
    if findings:
        return REFUSED
    settings.notes.print("1 file is valid." if len(files) == 1 else f"{len(files)} files are valid.")
    return 0
