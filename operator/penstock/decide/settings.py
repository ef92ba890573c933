"""What who runs the operator decides for all Pipelines: images, default storage, profiles, limits."""

from typing import Annotated, Literal

import msgspec

from penstock.api.jobs import JobSettings
from penstock.api.notifications import Notification
from penstock.api.scalars import Duration
from penstock.api.storage import Storage
from penstock_jobs.contract.document import Document


class Images(Document, frozen=True, kw_only=True):
    """The images of what the operator starts, by reference; with a digest where runs must be repeatable."""

    jobs: str = "penstock/jobs"
    torch: str = "penstock/torch"
    serving: str = "penstock/serving"
    source: str = "penstock/source"


class Pods(Document, frozen=True, kw_only=True):
    """What holds of every pod.

    `group` owns the files that pods write on volumes; null leaves that to the cluster. `user` is that of the images,
    where nothing else is said.
    """

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    group: int | None = 65532
    user: int | None = None


class Settings(Document, frozen=True, kw_only=True):
    """The settings of the operator: one YAML file, mounted by the chart.

    `storage` is where a Pipeline that names none keeps its files, each under its namespace and name. `profiles` are the
    named sets of job settings; `defaults` are those of a job that neither says nor names one. `pending_limit` bounds
    how long a run waits where its job does not say; `jobs_kept` is how long the Jobs and pods of a run that has ended
    are kept, for their logs. `notifications` are those of all Pipelines; their Secrets are in the namespace of each.
    `concurrent_rollouts` is how many Pipelines at a time get other servers because of these settings, as of the image.
    `rights_checked` says that the API server asks authors for their rights, by the policies of the chart: without them
    a run overrides nothing that only who may update its Pipeline may.
    """

    images: Images = Images()
    storage: Storage | None = None
    profiles: dict[str, JobSettings] = msgspec.field(default_factory=dict)
    defaults: JobSettings = JobSettings()
    pods: Pods = Pods()
    namespaces: tuple[str, ...] = ()
    pending_limit: Duration = "24h"
    jobs_kept: Duration = "24h"
    notifications: tuple[Notification, ...] = ()
    concurrent_rollouts: Annotated[int, msgspec.Meta(ge=1)] = 1
    rights_checked: bool = False
