"""What who runs the operator decides for all Pipelines: images, default storage, profiles, limits."""

import msgspec

from penstock.api.jobs import JobSettings
from penstock.api.scalars import Duration
from penstock.api.storage import Storage
from penstock_jobs.document import Document


class Images(Document, frozen=True, kw_only=True):
    """The images of what the operator starts, by reference; with a digest where runs must be repeatable."""

    jobs: str = "penstock/jobs"
    torch: str = "penstock/torch"
    serving: str = "penstock/serving"


class Settings(Document, frozen=True, kw_only=True):
    """The settings of the operator: one YAML file, mounted by the chart.

    `storage` is where a Pipeline that names none keeps its files, each under its namespace and name. `profiles` are the
    named sets of job settings. `pending_limit` bounds how long a run waits where its job does not say.
    """

    images: Images = Images()
    storage: Storage | None = None
    profiles: dict[str, JobSettings] = msgspec.field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    pending_limit: Duration = "24h"
