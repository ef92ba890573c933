"""The credentials of a bucket, from where the location says that they are."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Credentials

NAMES = ("accessKeyId", "secretAccessKey", "sessionToken")
_REQUIRED = NAMES[:2]


@dataclass(frozen=True)
class Keys:
    """An access key; `origin` says in words where it came from. Only the origin is ever shown."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    origin: str


def read_keys(credentials: Credentials) -> Keys | None:
    """Return the access key, or None where the location names none (the machine's own is then used)."""
    if credentials.folder is not None:
        return _keys_of_folder(Path(credentials.folder), credentials.keys)
    if credentials.environment:
        return _keys_of_environment(credentials.environment)
    return None


def _keys_of_folder(folder: Path, names: dict[str, str]) -> Keys:
    values = {name: _content(folder, names.get(name, name), name) for name in NAMES}
    return _keys(values, f"the credentials in {folder}")


def _content(folder: Path, file: str, name: str) -> str:
    path = folder / file
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        if name not in _REQUIRED:
            return ""
        raise Refused(
            f"The credentials in {folder} have no {file} ({_list_present(folder)}); add it, or name with `keys` "
            f"the one that holds the {name}."
        ) from error
    except UnicodeDecodeError as error:
        raise Refused(f"The credentials file {path} is not text; write the {name} into it, in UTF-8.") from error
    except OSError as error:
        raise Refused(f"The credentials file {path} cannot be read: {error.strerror}.") from error


def _list_present(folder: Path) -> str:
    if not folder.is_dir():
        return "there is no such folder"
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return f"it has {', '.join(names[:10])}" if names else "it is empty"


def _keys_of_environment(variables: dict[str, str]) -> Keys:
    for name in _REQUIRED:
        if name not in variables:
            raise Refused(f"The credentials name no environment variable for the {name}; add it.")
        if not os.environ.get(variables[name], "").strip():
            raise Refused(
                f"The environment variable {variables[name]}, which should hold the {name}, is not set; set it."
            )
    values = {name: os.environ.get(variables.get(name, ""), "").strip() for name in NAMES}
    return _keys(values, f"the credentials in the environment variable {variables['accessKeyId']} and its companions")


def _keys(values: dict[str, str], origin: str) -> Keys:
    for name in _REQUIRED:
        if not values[name]:
            raise Refused(f"The {name} of {origin} is empty; write it there.")
    access, secret, token = (values[name] for name in NAMES)
    return Keys(access_key_id=access, secret_access_key=secret, session_token=token or None, origin=origin)
