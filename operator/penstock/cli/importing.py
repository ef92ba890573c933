"""`penstock models import`: Models of the home made again from their files."""

import click

from penstock.cli.options import LaptopSettings, with_settings
from penstock.cli.shown_imports import show_imports
from penstock.local import importing
from penstock.local.resources import Resources


@click.command("import")
@click.argument("uri", required=False)
@click.option("--endpoint", help="The address of the S3 server, where it is not Amazon's.")
@click.option("--region", help="The region, where the server has several.")
@click.option(
    "--credentials", metavar="SECRET", help="The Secret, as local.yaml maps it, with which the files are read."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@with_settings
def import_models(
    settings: LaptopSettings,
    uri: str | None,
    endpoint: str | None,
    region: str | None,
    credentials: str | None,
    *,
    dry_run: bool,
) -> None:
    """Make Models again from their files, each once its digests were found to be right.

    URI is a folder, s3://bucket/prefix or pvc://claim/path: the folder of a Model, of several, or a whole storage; the
    storage of the home without it. What is there already stays as it is, so that it may be done again.
    """
    resources = Resources(settings.home)
    named = uri if uri is not None else str(settings.home.root / "storage")
    location, storage = importing.location_named(resources, named, endpoint, region, credentials)
    found = importing.import_models(resources, location, storage, only_look=dry_run)
    show_imports(settings, found, location.uri, only_look=dry_run)
