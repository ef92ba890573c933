"""The file of an object, read. A person, a crash or another program may have been at it: no field of it is certain.

What an API server guarantees of an object is looked at here, so that all others may rely on it.
"""

from pathlib import Path
from typing import Any

import msgspec

from penstock.api.decoding import CannotBeRead
from penstock.local.guaranteed import OF_KIND, Guaranteed
from penstock.local.old_homes import renew

Object = dict[str, Any]
NAMESPACE = ""  # a home is one namespace, and nobody names it


def read_object(path: Path) -> Object:
    """Return the object in the file, in the words of this version.

    Raises:
        CannotBeRead: it holds none; the sentence names the file and says what to do.
        OSError: the file cannot be read.
    """
    found = read_json(path)
    try:
        _check(found, path)
    except msgspec.ValidationError as error:
        raise refusal(path, str(error)) from error
    return with_namespace(found)


def read_json(path: Path) -> Any:
    """Return what the file holds, in the words of this version.

    Raises:
        CannotBeRead: it holds no JSON.
        OSError: the file cannot be read.
    """
    try:
        return renew(msgspec.json.decode(path.read_bytes()))
    except (msgspec.DecodeError, RecursionError) as error:
        raise refusal(path, str(error)) from error


def refusal(path: Path, why: str) -> CannotBeRead:
    """Return the refusal of whoever asks for what is in that file."""
    return CannotBeRead(
        f"{path} cannot be read: {why}. It is left as it is; mend that file, or move it out of its folder."
    )


def with_namespace(found: Object) -> Object:
    """Return an object as one that an API server gives, with a namespace."""
    return {**found, "metadata": {"namespace": NAMESPACE, **found["metadata"]}}


def _check(found: Any, path: Path) -> None:
    sure = msgspec.convert(found, Guaranteed)
    msgspec.convert(found, OF_KIND.get(sure.kind, Guaranteed))
    # What is changed is written to the file that it names itself: a copy would replace what it is a copy of.
    if (f"{sure.kind.lower()}s", sure.metadata.name) != (path.parent.name, path.stem):
        raise msgspec.ValidationError(f"it holds the {sure.kind} {sure.metadata.name}, which has another file")
