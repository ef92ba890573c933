"""A docker archive of one layer, made of a folder: the same files give the same bytes.

The format is that of `docker save`: a tar of a manifest, a configuration and the layers, which every container engine
loads.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One path of a layer: what is at `source` on this machine, or `content` where it is made up."""

    path: str
    source: Path | None = None
    content: bytes = b""


def write(archive: Path, reference: str, entries: Iterable[Entry], configuration: Mapping[str, Any], epoch: int) -> str:
    """Write an image of one layer; return the digest of its configuration, which is the image's identity.

    Args:
        archive: the file to write.
        reference: the image's name and tag.
        entries: what is in it, in any order.
        configuration: the `config` of the image: its environment, command, labels.
        epoch: the time of every file and of the image, in seconds since 1970.
    """
    layer = archive.with_name(f"{archive.name}.layer")
    try:
        with tarfile.open(layer, "w", format=tarfile.GNU_FORMAT) as tar:
            for entry in sorted(entries, key=lambda each: each.path):
                _add(tar, entry, epoch)
        with layer.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        image = {
            "architecture": _architecture(),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": dict(configuration),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "debootstrap"}],
        }
        described = json.dumps(image, sort_keys=True).encode()
        identity = hashlib.sha256(described).hexdigest()
        manifest = [{"Config": f"{identity}.json", "RepoTags": [reference], "Layers": [f"{digest}.tar"]}]
        with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
            _add(tar, Entry(f"{identity}.json", content=described), epoch)
            _add(tar, Entry(f"{digest}.tar", source=layer), epoch)
            _add(tar, Entry("manifest.json", content=json.dumps(manifest).encode()), epoch)
        return identity
    finally:
        layer.unlink(missing_ok=True)


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _add(tar: tarfile.TarFile, entry: Entry, epoch: int) -> None:
    if entry.source is None:
        member = tarfile.TarInfo(entry.path)
        member.size = len(entry.content)
        stream: io.BufferedIOBase | None = io.BytesIO(entry.content)
    else:
        member = tar.gettarinfo(entry.source, arcname=entry.path)
        if member.islnk():  # a hard link to a file that may not be in the image
            member.type, member.size, member.linkname = tarfile.REGTYPE, entry.source.stat().st_size, ""
        stream = entry.source.open("rb") if member.isreg() else None
    member.uname = member.gname = ""
    member.mtime = epoch
    tar.addfile(member, stream)
    if stream:
        stream.close()
