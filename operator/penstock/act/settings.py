"""The settings of the operator: one YAML file. A mistake in it is a sentence that names the field."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta

from penstock.api.quantities import read_duration
from penstock.api.scalars import Duration
from penstock.decide.settings import Settings
from penstock_jobs.contract.document import Document
from penstock_jobs.contract.errors import Refused


class Api(Document, frozen=True, kw_only=True):
    """How the API server is asked: requests a second, how many after a rest, and how many at once."""

    requests_per_second: Annotated[float, Meta(gt=0, le=1000)] = 200.0
    burst: Annotated[int, Meta(ge=1, le=10_000)] = 400
    concurrent_requests: Annotated[int, Meta(ge=1, le=256)] = 16


class Logs(Document, frozen=True, kw_only=True):
    """What the operator itself logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Lease(Document, frozen=True, kw_only=True):
    """The Lease that one of several replicas holds; the others stand by."""

    name: str
    namespace: str


class OperatorSettings(Settings, frozen=True, kw_only=True):
    """The whole file: what decisions go by, and how the shell around them works.

    `workers` is how many objects are reconciled at once, `resync` how often all objects are listed, `port` where
    `/healthz`, `/readyz` and `/metrics` are. Without `lease` there must be one replica at most.
    """

    api: Api = Api()
    workers: Annotated[int, Meta(ge=1, le=64)] = 16
    resync: Duration = "3m"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    logs: Logs = Logs()
    lease: Lease | None = None


def read_settings(path: Path | None) -> OperatorSettings:
    """Return the settings in the file, the defaults without one, or refuse with what is wrong in it."""
    if path is None:
        return OperatorSettings()
    try:
        found = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Refused(f"The settings {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"The settings {path} are not YAML: {' '.join(str(error).split())}.") from error
    try:
        settings = msgspec.convert({} if found is None else found, OperatorSettings)
    except msgspec.ValidationError as error:
        raise Refused(f"The settings {path} are refused: {error}.") from error
    read_duration(settings.resync, "resync")
    read_duration(settings.pending_limit, "pendingLimit")
    return settings
