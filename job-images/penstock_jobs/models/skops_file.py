"""scikit-learn estimators as skops files: data and names of types, read with a list of the types that may be built."""

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from penstock_jobs.archive_bounds import check_bounds
from penstock_jobs.contract.errors import Refused
from penstock_jobs.models.trust import SAFE_TYPES

_MOST_MEMBERS, _MOST_BYTES = 500_000, 32 << 30  # a forest has some for each of its trees
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can say


class NotWritableError(Exception):
    """skops cannot write this estimator; the message is its sentence."""


def dump(estimator: Any) -> bytes:
    """Return the estimator as a skops file, the same bytes for the same estimator."""
    import skops.io

    try:
        return _canonicalise(skops.io.dumps(estimator))
    except Exception as error:  # whatever an attribute's own reduction raises
        raise NotWritableError(str(error).strip().splitlines()[0][:200].rstrip(". ") or type(error).__name__) from error


def find_untrusted_types(content: bytes) -> list[str]:
    """Return the types in the file that neither skops nor Penstock knows to be safe, sorted."""
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=content)) - set(SAFE_TYPES))


def load(content: bytes, trusted_types: Iterable[str], origin: str) -> Any:
    """Return the estimator; refuse a file that holds a type which is neither safe nor trusted by the caller.

    Args:
        content: the skops file.
        trusted_types: full names of types that the user of this process trusts, from the Pipeline.
        origin: what the file is called in a refusal.
    """
    import skops.io

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        size = sum(member.file_size for member in members)
        check_bounds(origin, len(members), size, len(content), _MOST_MEMBERS, _MOST_BYTES)
        unknown = sorted(set(find_untrusted_types(content)) - set(trusted_types))
        if unknown:
            raise Refused(
                f"{origin} holds objects of type {', '.join(unknown[:5])}, which are not trusted; "
                "name them in the Pipeline's trustedTypes if you know what they do."
            )
        return skops.io.loads(content, trusted=[*SAFE_TYPES, *trusted_types])
    except Refused:
        raise
    except Exception as error:  # a file that is no skops file fails in any way: zip, JSON, a missing key, an import
        raise Refused(f"{origin} is no readable skops file ({type(error).__name__}).") from error


def _canonicalise(content: bytes) -> bytes:
    """Return the file with its ids numbered in order instead of by memory address, and without times."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        members = {name: archive.read(name) for name in archive.namelist() if name != "schema.json"}
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    _renumber(schema, numbers, names)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for old, new in names.items():
            archive.writestr(zipfile.ZipInfo(new, _EPOCH), members[old], zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("schema.json", _EPOCH), json.dumps(schema, indent=2), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, names)
    elif isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if isinstance(node.get("file"), str) and "__loader__" in node:
            old = node["file"]
            node["file"] = names.setdefault(old, f"{len(names) + 1}{old[old.rfind('.') :]}" if "." in old else old)
        for value in node.values():
            _renumber(value, numbers, names)


def check_version(versions: dict[str, str]) -> None:
    """Refuse a file of another minor version of scikit-learn, whose attributes may mean something else here."""
    import sklearn

    written = versions.get("scikit-learn", "an unknown version")
    if written.split(".")[:2] != sklearn.__version__.split(".")[:2]:
        raise Refused(
            f"The Model was saved with scikit-learn {written} and is served through skops, which needs the same minor "
            f"version; this is {sklearn.__version__}. Use the image of that version, or train again."
        )
