"""The settings of a process that stays: one YAML file. A mistake in it is a sentence that names the field."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta

from penstock_jobs.contract.document import Document
from penstock_jobs.contract.errors import Refused

SettingsType = TypeVar("SettingsType", bound=Document)


class Api(Document, frozen=True, kw_only=True):
    """How the API server is asked: requests a second, how many after a rest, and how many at once."""

    requests_per_second: Annotated[float, Meta(gt=0, le=1000)] = 200.0
    burst: Annotated[int, Meta(ge=1, le=10_000)] = 400
    concurrent_requests: Annotated[int, Meta(ge=1, le=256)] = 16


class Logs(Document, frozen=True, kw_only=True):
    """What the process itself logs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


def read_settings_file(path: Path | None, kind: type[SettingsType]) -> SettingsType:
    """Return the settings in the file, the defaults without one, or refuse with what is wrong in it."""
    if path is None:
        return kind()
    try:
        found = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Refused(f"The settings {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"The settings {path} are not YAML: {' '.join(str(error).split())}.") from error
    try:
        return msgspec.convert({} if found is None else found, kind)
    except msgspec.ValidationError as error:
        raise Refused(f"The settings {path} are refused: {error}.") from error
