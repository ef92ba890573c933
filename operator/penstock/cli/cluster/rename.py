"""`penstock --cluster rename`: a Pipeline under another name."""

from typing import Any

import click

from penstock import version
from penstock.api.quantities import read_duration
from penstock.cli.cluster.names import pipeline_names
from penstock.cli.cluster.options import ClusterSettings, ask, with_cluster
from penstock.cli.cluster.storage_job_options import StorageJobOptions, storage_job_options
from penstock.cli.terminal import echo


@click.command()
@click.argument("old", shell_complete=pipeline_names)
@click.argument("new")
@storage_job_options
@with_cluster
def rename(settings: ClusterSettings, old: str, new: str, storage_job: StorageJobOptions) -> None:
    """Give a Pipeline another name: its storage, its Models and what it serves go with it.

    It is copied; once the copy serves, a pod gives it the storage, the Models get its name as their label, and the old
    one is deleted. May be said again wherever it was interrupted. What has the old name besides is told, not changed:
    Triggers, runs that have ended, and your own manifests.
    """

    async def question(cluster: Any) -> list[str]:
        from penstock.remote.rename import RenameOptions, rename_pipeline
        from penstock.remote.storage_requests import WaitOptions

        patience = WaitOptions(
            read_duration(storage_job.timeout, "--timeout"), lambda said: settings.notes.print(said, markup=False)
        )
        return await rename_pipeline(
            cluster, old, new, RenameOptions(storage_job.image, version(), storage_job.image_pull_secret, patience)
        )

    told = ask(settings, question)
    echo(f"{old} is {new} now. Change the name in your manifests too: whoever applies {old} makes it anew.")
    for sentence in told:
        echo(sentence)
