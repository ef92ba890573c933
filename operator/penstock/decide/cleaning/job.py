"""The Job that deletes files: with the credentials to write where they are, and nothing else."""

from dataclasses import dataclass

import msgspec

from penstock.api.jobs import ResourceAmounts, Resources, job_field
from penstock.decide.cleaning.record import Record
from penstock.decide.decision import ApiObject
from penstock.decide.objects.children import (
    ATTEMPT,
    MANAGED_BY,
    MANAGER,
    PIPELINE,
    RECORD,
    STEP,
    Object,
    Owner,
    child_name,
)
from penstock.decide.objects.chores import chore
from penstock.decide.objects.folders import SPECIFICATION, SPECIFICATION_FOLDER, TERMINATION_MESSAGE
from penstock.decide.objects.mounts import mounts_of
from penstock.decide.objects.pod import PYTHON, Pod, pod_template
from penstock.decide.settings import Settings
from penstock_jobs.contract import document
from penstock_jobs.contract.specification import CleaningJob

FILES, LOGS = "cleaning", "cleaning-logs"  # the parts: all files of what is gone, the logs of a run that stays
TRIES = 3  # pods, before the Job is made anew after a longer pause
TIMEOUT = 3600.0  # seconds that one of them may take
DEADLINE = 6 * 3600  # seconds for all of them, a Secret or a node that is not there included
ROOM = Resources(requests=ResourceAmounts(cpu="50m", memory="128Mi"), limits=ResourceAmounts(cpu="1", memory="512Mi"))


@dataclass(frozen=True)
class Cleaning:
    """One attempt at a part; `record` is the object that owns its Job, and `recorded` what it says."""

    record: ApiObject
    recorded: Record
    part: str
    attempt: int
    settings: Settings

    @property
    def owner(self) -> Owner:
        """The record, as what names are made of."""
        metadata = self.record["metadata"]
        pipeline = str(metadata["labels"].get(PIPELINE, ""))
        return Owner(str(metadata["namespace"]), self.recorded.name, str(metadata["uid"]), pipeline)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the Job and its pods."""
        own = {MANAGED_BY: MANAGER, PIPELINE: self.owner.pipeline, RECORD: self.recorded.uid, STEP: self.part}
        return own | ({ATTEMPT: str(self.attempt)} if self.attempt > 1 else {})


def specification_of(cleaning: Cleaning) -> CleaningJob:
    """Return what the Job is asked to do."""
    record = cleaning.recorded
    if cleaning.part == LOGS:
        logs = msgspec.structs.replace(record.folder, beneath=("logs/",))
        return CleaningJob(folders=(logs,), timeout=TIMEOUT)
    unmade = () if record.unmade is None else (record.unmade,)
    return CleaningJob(folders=(record.folder,), unmade=unmade, timeout=TIMEOUT)


def objects_of(cleaning: Cleaning) -> tuple[Object, Object]:
    """Return the ConfigMap that says what is to be done, and the Job; the record owns both.

    Raises:
        Refused: the settings ask for what no pod of Penstock may have.
    """
    asked = specification_of(cleaning)
    data = {SPECIFICATION: document.encode(asked).decode()}
    name = child_name(cleaning.owner, f"{cleaning.part}-specification", cleaning.attempt)
    metadata = _metadata(cleaning, name)
    described: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": True, "data": data}
    return described, _job(cleaning, asked, name)


def _job(cleaning: Cleaning, asked: CleaningJob, specification: str) -> Object:
    words = (*PYTHON, "penstock_jobs", f"{SPECIFICATION_FOLDER}/{SPECIFICATION}")
    pod = Pod(
        image=cleaning.settings.images.jobs,
        command=(*words, "--termination-message", TERMINATION_MESSAGE),
        specification=specification,
        settings=msgspec.structs.replace(cleaning.recorded.settings, resources=ROOM),
        field=job_field("dataset"),
        mounts=mounts_of(asked),
        general=cleaning.settings.pods,
    )
    metadata = _metadata(cleaning, child_name(cleaning.owner, cleaning.part, cleaning.attempt))
    return chore(metadata, pod_template(pod, cleaning.labels), TRIES, DEADLINE)


def _metadata(cleaning: Cleaning, name: str) -> Object:
    record = cleaning.record["metadata"]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "name": record["name"],
        "uid": record["uid"],
        "controller": True,
    }
    namespace = cleaning.owner.namespace
    return {"name": name, "namespace": namespace, "labels": cleaning.labels, "ownerReferences": [owner]}
