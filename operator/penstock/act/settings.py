"""The settings of the operator: one YAML file. A mistake in it is a sentence that names the field."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from penstock.api.quantities import read_duration
from penstock.api.scalars import Duration
from penstock.daemon.settings import Api, Logs, read_settings_file
from penstock.decide.settings import Settings
from penstock_jobs.contract.document import Document


class Lease(Document, frozen=True, kw_only=True):
    """The Lease that one of several replicas holds; the others stand by."""

    name: str
    namespace: str


class OperatorSettings(Settings, frozen=True, kw_only=True):
    """The whole file: what decisions go by, and how the shell around them works.

    `workers` is how many objects are reconciled at once, `resync` how often it is looked whether watches have told of
    all objects, `port` where `/healthz`, `/readyz` and `/metrics` are. Without `lease` there must be one replica at
    most.
    """

    api: Api = Api()
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    resync: Duration = "10m"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    logs: Logs = Logs()
    lease: Lease | None = None


def read_settings(path: Path | None) -> OperatorSettings:
    """Return the settings in the file, the defaults without one, or refuse with what is wrong in it."""
    settings = read_settings_file(path, OperatorSettings)
    read_duration(settings.resync, "resync")
    read_duration(settings.pending_limit, "pendingLimit")
    return settings
