"""The source of a run: what its job is asked to do, and where the other jobs find what it made."""

from penstock.api.pipeline import PipelineSpec
from penstock.api.run import PipelineRunSpec
from penstock.decide.objects.folders import SOURCE
from penstock.decide.run_places import Reach
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.result import SourceResult
from penstock_jobs.contract.specification import ArchiveSpec, Location, Run, SourceJob, SourceSpec

TIMEOUT = 900.0  # seconds; a repository that takes longer is fetched by nobody


def source_job(
    spec: PipelineSpec,
    run: Run,
    run_spec: PipelineRunSpec,
    reach: Reach,
    storage: Location,
    commit: str | None,
) -> SourceJob:
    """Return what the source job is asked to do; `storage` is the run's, and `commit` the one recorded before.

    Raises:
        Refused: the Pipeline has no source.
    """
    if spec.source is None:
        raise Refused("The Pipeline has no spec.source; add it.")
    git = spec.source.git
    return SourceJob(
        run=run,
        run_storage=storage,
        repository=git.url,
        revision=git.revision,
        path=git.path,
        commit=commit,
        credentials=reach.repository(git, run_spec.credentials.source if run_spec.credentials else None),
        timeout=TIMEOUT,
    )


def operations(made: SourceResult, storage: Location) -> SourceSpec:
    """Return the source of the other jobs, unpacked from what the source job put into the run's storage."""
    archive = ArchiveSpec(location=storage, key=made.archive, digest=made.digest)
    return SourceSpec(folder=SOURCE, commit=made.commit, archive=archive)
