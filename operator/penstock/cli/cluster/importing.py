"""`penstock --cluster models import`: Models made again from their files."""

from typing import Any

import click

from penstock import version
from penstock.api.pipeline import Pipeline
from penstock.api.quantities import read_duration
from penstock.api.storage import Storage
from penstock.cli.cluster.finding import PIPELINE, as_pipeline, find_one
from penstock.cli.cluster.names import pipeline_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.cluster.storage_job_options import StorageJobOptions, storage_job_options
from penstock.cli.shown_imports import show_imports
from penstock.decide.commands.import_models import ImportStatus, read_saved_model, storage_named, storage_of_models


@click.command("import")
@click.argument("uri", required=False)
@click.option("--pipeline", shell_complete=pipeline_names, help="In place of URI: the storage of this Pipeline.")
@click.option("--endpoint", help="The address of the S3 server as pods reach it, where it is not Amazon's.")
@click.option("--region", help="The region, where the server has several.")
@click.option("--credentials", metavar="SECRET", help="The Secret with which the files are read, now and by servers.")
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@storage_job_options
@with_cluster
def import_models(
    settings: ClusterSettings,
    uri: str | None,
    pipeline: str | None,
    endpoint: str | None,
    region: str | None,
    credentials: str | None,
    storage_job: StorageJobOptions,
    *,
    dry_run: bool,
) -> None:
    """Make Models again from the files in a storage, each once its digests were found to be right.

    URI is s3://bucket/prefix or pvc://claim/path: the folder of a Model, of several, or a whole storage. A pod of the
    namespace reads it. What is there already stays as it is, so that it may be done again.
    """
    if (uri is None) == (pipeline is None):
        raise click.UsageError("name a storage: URI, or a Pipeline with --pipeline")
    if pipeline is not None and (endpoint or region or credentials):
        raise click.UsageError("--endpoint, --region and --credentials go with URI; the Pipeline says its own")
    named = storage_named(uri, endpoint, region, credentials) if uri is not None else None

    async def question(cluster: Any) -> tuple[list[ImportStatus], str]:
        storage, folder = named, ""
        if storage is None:
            found: Pipeline = as_pipeline(await find_one(cluster, PIPELINE, pipeline or ""))
            storage, folder = storage_of_models(pipeline or "", found.spec)
        return await _run_import(cluster, settings, storage, folder, storage_job, only_look=dry_run)

    found, where = ask(settings, question)
    show_imports(settings, found, where, only_look=dry_run)


async def _run_import(
    cluster: Any,
    settings: ClusterSettings,
    storage: Storage,
    folder: str,
    storage_job: StorageJobOptions,
    *,
    only_look: bool,
) -> tuple[list[ImportStatus], str]:
    from penstock.decide.objects.places import ClusterPlaces
    from penstock.decide.objects.storage_requests import StorageJob
    from penstock.decide.run_places import child
    from penstock.decide.settings import Pods
    from penstock.remote.import_models import create_models
    from penstock.remote.storage_requests import WaitOptions, newest_snapshot, run_storage_job, storage_job_image
    from penstock_jobs.contract.storage_requests import ListModels, SavedModel

    location = ClusterPlaces(cluster.namespace).storage(storage, "", "The storage", write=False)
    location = child(location, folder) if folder else location
    snapshot = await newest_snapshot(cluster)
    asked = StorageJob(
        request=ListModels(location=location),
        image=storage_job_image(snapshot, storage_job.image, version()),
        pull_secrets=storage_job.image_pull_secret,
        general=snapshot.pods if snapshot else Pods(),
    )
    patience = WaitOptions(
        read_duration(storage_job.timeout, "--timeout"), lambda said: settings.notes.print(said, markup=False)
    )
    answers = await run_storage_job(cluster, asked, SavedModel, patience)
    return await create_models(
        cluster, [read_saved_model(each, storage) for each in answers], only_look=only_look
    ), location.uri
