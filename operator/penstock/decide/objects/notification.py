"""The Job that notifies: its pod mounts the one key of the one Secret that holds the URL, and nothing else."""

from dataclasses import dataclass, field

import msgspec

from penstock.api.jobs import JobSettings, ResourceAmounts, Resources
from penstock.api.notifications import Notification
from penstock.decide.objects.children import (
    MANAGED_BY,
    MANAGER,
    NOTIFICATION,
    PIPELINE,
    Object,
    Owner,
    child_name,
    metadata,
)
from penstock.decide.objects.chores import chore
from penstock.decide.objects.folders import TERMINATION_MESSAGE, credentials_folder
from penstock.decide.objects.mounts import Mount
from penstock.decide.objects.pod import PYTHON, Pod, pod_template
from penstock.decide.objects.profiles import access_of
from penstock.decide.settings import Pods
from penstock_jobs.contract.notification import NotificationRequest, OutboundEvent

TRIES = 5  # pods, each of which asks several times
CEILING = 900  # seconds that one of them may take, whatever the receiver does
DEADLINE = 6 * 3600  # seconds for all of them, a node that is not there included
ROOM = Resources(requests=ResourceAmounts(cpu="20m", memory="64Mi"), limits=ResourceAmounts(cpu="1", memory="256Mi"))
_FOLDER, _FILE = credentials_folder("notification"), "url"


@dataclass(frozen=True)
class NotificationJob:
    """An event, whom it is told, and what the pod that tells it is like. `settings` are those of some job."""

    owner: Owner
    event: OutboundEvent
    notification: Notification
    image: str
    settings: JobSettings = field(default_factory=JobSettings)
    general: Pods = field(default_factory=Pods)


def notification_job_name(owner: Owner, notification: str, event: str) -> str:
    """Return the name of the Job that tells the event of that id: the same each time, so that there is one."""
    return child_name(owner, f"notify-{notification}/{event}")


def notification_job(asked: NotificationJob) -> Object:
    """Return the Job."""
    owner, url = asked.owner, asked.notification.url
    labels = {MANAGED_BY: MANAGER, PIPELINE: owner.pipeline, NOTIFICATION: owner.uid}
    request = NotificationRequest(
        event=asked.event,
        style=asked.notification.format,
        url_file=f"{_FOLDER}/{_FILE}",
        secret=f"key {url.key} in a Secret {url.secret_name}",
    )
    words = (*PYTHON, "penstock_jobs.notify", msgspec.json.encode(request).decode())
    pod = Pod(
        image=asked.image,
        command=(*words, "--termination-message", TERMINATION_MESSAGE),
        specification=None,
        # No service account: nothing is asked for which it could need an identity.
        settings=msgspec.structs.replace(access_of(asked.settings), service_account_name=None, resources=ROOM),
        field=f"spec.notifications[{asked.notification.name}]",
        mounts=(_url_mount(url.secret_name, url.key),),
        deadline=CEILING,
        general=asked.general,
    )
    name = notification_job_name(owner, asked.notification.name, asked.event.id)
    return chore(metadata(owner, name, labels), pod_template(pod, labels), TRIES, DEADLINE)


def _url_mount(secret: str, key: str) -> Mount:
    # Optional, so that a Secret that is not there is said at once by the job, and no pod waits for it.
    items = [{"key": key, "path": _FILE}]
    return Mount(
        volume={"name": "url", "secret": {"secretName": secret, "items": items, "optional": True}},
        mount={"name": "url", "mountPath": _FOLDER, "readOnly": True},
    )
