"""What a docker archive says of its image, and the files that are in it."""

import json
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any


def layers(archive: Path) -> list[int]:
    """Return the size of each layer of an image in bytes, uncompressed, the base first."""
    with tarfile.open(archive) as tar:
        return [tar.getmember(each).size for each in _read_manifest(tar)[0]["Layers"]]


def read(archive: Path, path: str) -> bytes:
    """Return a file of an image.

    Raises:
        KeyError: the image has no such file.
    """
    with tarfile.open(archive) as tar:
        for each in reversed(_read_manifest(tar)[0]["Layers"]):
            with tarfile.open(fileobj=tar.extractfile(each)) as layer, suppress(KeyError):
                content = layer.extractfile(path.lstrip("/"))
                if content:
                    return content.read()
    raise KeyError(f"{archive.name} has no {path}")


def configuration(archive: Path) -> dict[str, Any]:
    """Return the configuration of the image in an archive: its environment, user, labels, the digests of its layers."""
    with tarfile.open(archive) as tar:
        found: dict[str, Any] = _json(tar, _read_manifest(tar)[0]["Config"])
    return found


def _read_manifest(tar: tarfile.TarFile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _json(tar, "manifest.json")
    return found


def _json(tar: tarfile.TarFile, name: str) -> Any:
    stream = tar.extractfile(name)
    if stream is None:
        raise KeyError(f"{name} is no file")
    return json.loads(stream.read())
