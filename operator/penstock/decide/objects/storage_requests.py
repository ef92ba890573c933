"""The Job of a storage request: what a person asks of a storage that only pods reach. It is nobody's child.

It is made with the rights of the person, who mounts in it the Secrets that the storage is reached with.
"""

from dataclasses import dataclass, field

import msgspec

from penstock.api.jobs import ImagePullSecret, JobSettings, ResourceAmounts, Resources
from penstock.api.schema import GROUP
from penstock.decide.objects.children import MANAGED_BY, MANAGER, Object
from penstock.decide.objects.folders import TERMINATION_MESSAGE
from penstock.decide.objects.mounts import mounts_of
from penstock.decide.objects.pod import PYTHON, Pod, pod_template
from penstock.decide.settings import Pods
from penstock_jobs.contract.storage_requests import StorageRequest

STORAGE_JOB = f"{GROUP}/errand"
CEILING = 3600  # seconds that it may take
KEPT = 600  # seconds that it stays where nobody is left to delete it
_REQUESTS = ResourceAmounts(cpu="100m", memory="256Mi")


@dataclass(frozen=True)
class StorageJob:
    """A storage request, and what its pod is like."""

    request: StorageRequest
    image: str
    pull_secrets: tuple[str, ...] = ()
    general: Pods = field(default_factory=Pods)

    @property
    def name(self) -> str:
        """What is asked for, in a word."""
        return str(type(self.request).__struct_config__.tag)


def storage_job(asked: StorageJob) -> Object:
    """Return the Job; the API server gives it a name, and whoever makes it the namespace."""
    labels = {MANAGED_BY: MANAGER, STORAGE_JOB: asked.name}
    pull_secrets = tuple(ImagePullSecret(name=name) for name in asked.pull_secrets)
    document = msgspec.json.encode(asked.request).decode()
    pod = Pod(
        image=asked.image,
        command=(
            *PYTHON,
            "penstock_jobs.storage_request",
            document,
            "--termination-message",
            TERMINATION_MESSAGE,
        ),
        specification=None,
        settings=JobSettings(resources=Resources(requests=_REQUESTS), image_pull_secrets=pull_secrets),
        field="the storage request",
        mounts=mounts_of(asked.request),
        deadline=CEILING,
        general=asked.general,
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": f"penstock-{asked.name}-", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": CEILING,
            "ttlSecondsAfterFinished": KEPT,
            "template": pod_template(pod, labels),
        },
    }
