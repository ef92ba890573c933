"""The ControllerRevision of a run: the Pipeline exactly as the run took it, and all that the operator added to it.

Nothing of it changes, and nothing is asked of the Pipeline or of the operator's settings once it is there. The run owns
it; each Model that was made of it is a further owner, so that it is there as long as one of them is.
"""

from typing import ClassVar

from penstock.api.jobs import EnvironmentVariable
from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRunSpec
from penstock.api.schema import API_VERSION, JobName
from penstock.api.storage import Storage
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import Object, Owner, as_json, labels, metadata, revision_name
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.settings import Images, Pods, Settings
from penstock_jobs.contract.document import Document, Form, VersionedDocument, convert, format_of
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.specification import RepeatedTables

SNAPSHOT = Form("snapshot", 1, since="0.1.0")


class Repetition(Document, frozen=True):
    """What a run that repeats another one does, found out once: that one may be gone later.

    `run` and `uid` are of the run that is repeated. `reused` are the jobs whose results are taken over, `jobs` those
    that are done again. `commit` is that of its own operations, `images` are those that its pods found, by digest under
    their references, and `tables` what its dataset job made, where the same is to come of it again.
    """

    run: str
    uid: str
    jobs: tuple[JobName, ...]
    reused: tuple[JobName, ...] = ()
    commit: str | None = None
    images: dict[str, str] = {}
    tables: RepeatedTables | None = None


class Snapshot(VersionedDocument, frozen=True, kw_only=True):
    """What a run is: enough for all of its steps.

    `pipeline` is as it was but for its profiles, which are resolved. `storage` is the operator's default, and `images`
    are by reference. `parameters` are all that the run has, those by default too. `source_env` is what the job that
    fetches the source is given, which nobody but who runs the operator says. `repetition` is there where the run
    repeats another one: all else but its overrides is as that one had it.
    """

    form: ClassVar[Form] = SNAPSHOT

    pipeline: Pipeline
    images: Images
    storage: Storage | None = None
    pods: Pods = Pods()
    parameters: tuple[ParameterValue, ...] = ()
    source_env: tuple[EnvironmentVariable, ...] = ()
    repetition: Repetition | None = None
    format: str = format_of(SNAPSHOT)


def snapshot_of(
    pipeline: Pipeline, run: PipelineRunSpec, settings: Settings, parameters: tuple[ParameterValue, ...] = ()
) -> Snapshot:
    """Return what a run that begins now is.

    Raises:
        Refused: a profile is named that the operator does not have.
    """
    return Snapshot(
        pipeline=Pipeline(
            api_version=API_VERSION,
            kind="Pipeline",
            metadata=ObjectMeta(
                name=pipeline.metadata.name, uid=pipeline.metadata.uid, generation=pipeline.metadata.generation
            ),
            spec=with_profiles(pipeline.spec, run.jobs, settings.profiles, settings.defaults),
        ),
        images=settings.images,
        storage=settings.storage,
        pods=settings.pods,
        parameters=parameters,
        source_env=settings.defaults.env,
    )


def revision(owner: Owner, snapshot: Snapshot) -> Object:
    """Return the ControllerRevision of the run."""
    return {**revision_without_data(owner), "revision": 1, "data": as_json(snapshot)}


def revision_without_data(owner: Owner) -> Object:
    """Return by what the ControllerRevision of the run is found and known."""
    named = metadata(owner, revision_name(owner), labels(owner))
    return {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": named}


def read(revision: ApiObject) -> Snapshot:
    """Return what the ControllerRevision holds.

    Raises:
        Refused: this version of the operator cannot read it.
    """
    return convert(revision.get("data"), Snapshot, f"The ControllerRevision {revision['metadata']['name']}")
