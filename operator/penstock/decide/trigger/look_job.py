"""The Job that looks at the files of an input for a Trigger: with the credentials of that input, and of the storage.

What it remembers is kept in the storage of the Pipeline, in a folder of the Trigger's uid.
"""

from dataclasses import dataclass

import msgspec

from penstock.api.jobs import ResourceAmounts, Resources, job_field
from penstock.api.pipeline import Pipeline
from penstock.api.run import PipelineRunSpec
from penstock.api.trigger import Trigger
from penstock.api.trigger_sources import ObjectsSource
from penstock.api.watched_inputs import find_watched_input
from penstock.decide.cleaning.record import access_settings
from penstock.decide.objects.children import LOOK, Object, Owner, child_name, labels, metadata
from penstock.decide.objects.chores import chore
from penstock.decide.objects.folders import SPECIFICATION, SPECIFICATION_FOLDER, TERMINATION_MESSAGE
from penstock.decide.objects.mounts import mounts_of
from penstock.decide.objects.pod import PYTHON, Pod, pod_template
from penstock.decide.objects.profiles import with_profiles
from penstock.decide.run_places import RunPlaces, child
from penstock.decide.settings import Settings
from penstock.decide.site import Site
from penstock.decide.trigger.make_run import owner_of
from penstock_jobs.contract import document
from penstock_jobs.contract.specification import InputSpec, LookJob

PART = "look"
TRIES = 3  # pods
TIMEOUT = 600.0  # seconds that one of them may take
DEADLINE = 3600  # seconds for all of them, a node or a volume that is not there included
ROOM = Resources(requests=ResourceAmounts(cpu="50m", memory="128Mi"), limits=ResourceAmounts(cpu="1", memory="1Gi"))


@dataclass(frozen=True)
class LookRequest:
    """One look: which Trigger it is for, its number under that spec, and what was dealt with before it."""

    trigger: Trigger
    number: int
    dealt_with: str | None = None

    @property
    def owner(self) -> Owner:
        """The Trigger, as what names are made of."""
        return owner_of(self.trigger)

    @property
    def begin(self) -> int:
        """Under which spec it is: an edit, or being resumed, makes a new one."""
        return self.trigger.metadata.generation or 0

    @property
    def job_name(self) -> str:
        """The name of its Job: the same each time, so that there is one."""
        return child_name(self.owner, f"{PART}-{self.begin}", self.number)

    @property
    def specification_name(self) -> str:
        """The name of the ConfigMap that says what the Job is asked."""
        return child_name(self.owner, f"{PART}-specification-{self.begin}", self.number)


@dataclass(frozen=True)
class LookPlace:
    """Of which Pipeline an input is looked at, and where."""

    pipeline: Pipeline
    settings: Settings
    site: Site


def look_specification(request: LookRequest, source: ObjectsSource, place: LookPlace) -> LookJob:
    """Return what the Job is asked.

    Raises:
        Refused: the Pipeline has no such input, or no pod could reach it.
    """
    spec, name = place.pipeline.spec, request.owner.pipeline
    table = find_watched_input(spec, name, source.input)
    reach = place.site.reach(request.owner.namespace, place.settings.storage)
    run = PipelineRunSpec(pipeline_ref=request.trigger.spec.pipeline_ref)
    places = RunPlaces(reach, name, spec, run, "")
    return LookJob(
        input=InputSpec(name=table.name, location=places.input(table), format=table.format),
        memory=child(places.tables(write=True), f"triggers/{request.owner.uid}"),
        begin=request.begin,
        dealt_with=request.dealt_with,
        timeout=TIMEOUT,
    )


def look_objects(request: LookRequest, source: ObjectsSource, place: LookPlace) -> tuple[Object, Object]:
    """Return the ConfigMap that says what is asked, and the Job; the Trigger owns both.

    Raises:
        Refused: as `look_specification`; or the settings ask for what no pod of Penstock may have.
    """
    asked = look_specification(request, source, place)
    labelled = labels(request.owner, PART, request.number) | {LOOK: request.owner.uid}
    described: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(request.owner, request.specification_name, labelled),
        "immutable": True,
        "data": {SPECIFICATION: document.encode(asked).decode()},
    }
    settings = place.settings
    resolved = with_profiles(place.pipeline.spec, (), settings.profiles, settings.defaults)
    words = (*PYTHON, "penstock_jobs", f"{SPECIFICATION_FOLDER}/{SPECIFICATION}")
    pod = Pod(
        image=settings.images.jobs,
        command=(*words, "--termination-message", TERMINATION_MESSAGE),
        specification=request.specification_name,
        settings=msgspec.structs.replace(access_settings(resolved, "dataset"), resources=ROOM),
        field=job_field("dataset"),
        # A Secret that is not there is said at once by the job, and no pod waits for it.
        mounts=mounts_of(asked, optional=True),
        general=settings.pods,
    )
    template = pod_template(pod, labelled)
    return described, chore(metadata(request.owner, request.job_name, labelled), template, TRIES, DEADLINE)
