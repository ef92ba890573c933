"""The settings of the receiver: one YAML file, mounted by the chart."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from penstock.daemon.settings import Api, Logs, read_settings_file
from penstock.decide.events.limits import AUDIENCE, Limits
from penstock_jobs.contract.document import Document


class ReceiverSettings(Document, frozen=True, kw_only=True):
    """The whole file.

    `port` is where events are taken, by TLS where `certificates` is a folder with `tls.crt` and `tls.key`;
    `health_port` where `/healthz`, `/readyz` and `/metrics` are. `keys` is a folder with a file for each key of
    signatures. Callers' tokens are for `audience`. After SIGTERM requests are taken for `drain` seconds more, until
    nobody sends any.
    """

    namespaces: tuple[str, ...] = ()
    port: Annotated[int, Meta(ge=0, le=65535)] = 8443
    health_port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    audience: Annotated[str, Meta(min_length=1, max_length=256)] = AUDIENCE
    certificates: str | None = None
    keys: str | None = None
    limits: Limits = Limits()
    drain: Annotated[float, Meta(ge=0, le=60)] = 5.0
    api: Api = Api()
    logs: Logs = Logs()


def read_settings(path: Path | None) -> ReceiverSettings:
    """Return the settings in the file, the defaults without one, or refuse with what is wrong in it."""
    return read_settings_file(path, ReceiverSettings)
