"""Image archives of single static programs, written without a build tool: one layer, one configuration, one manifest.

The form is `docker save`'s, which docker, podman, kind, containerd and skopeo all load. The same program gives the
same archive to the byte, so its name can be its content.
"""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from testcluster import cache

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
BLOCK = 1 << 20


@dataclass(frozen=True)
class ProgramImage:
    """What an image of one program holds. `folders` are empty and may be written by anybody, as /tmp."""

    name: str
    programs: Mapping[str, Path]  # by the path inside
    entrypoint: tuple[str, ...]
    user: str = "65532:65532"
    folders: tuple[str, ...] = ("tmp",)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageArchive:
    """An image in a file, and the reference by which a pod asks for it."""

    reference: str
    file: Path


def archive(image: ProgramImage) -> ImageArchive:
    """Return the archive of this image, written once for each content."""
    reference = f"{image.name}:{fingerprint(image)}"
    file = cache.folder("images") / (reference.replace("/", "_").replace(":", "-") + ".tar")
    if not file.exists():
        part = file.with_suffix(f".{os.getpid()}.part")
        try:
            write(image, reference, part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    return ImageArchive(reference, file)


def fingerprint(image: ProgramImage) -> str:
    """Return a hash of all that the image holds."""
    digest = hashlib.sha256(json.dumps([image.entrypoint, image.user, image.folders, dict(image.labels)]).encode())
    for inside, program in sorted(image.programs.items()):
        with program.open("rb") as content:
            digest.update(f"{inside} {hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def write(image: ProgramImage, reference: str, file: Path) -> None:
    """Write the image as `docker save` would."""
    layer = file.with_suffix(".layer")
    try:
        with layer.open("wb") as stream:
            write_layer(image, stream)
        with layer.open("rb") as stream:
            layer_digest = hashlib.file_digest(stream, "sha256").hexdigest()
        configuration = json.dumps(configuration_of(image, layer_digest)).encode()
        configuration_name = f"{hashlib.sha256(configuration).hexdigest()}.json"
        manifest = [{"Config": configuration_name, "RepoTags": [reference], "Layers": [f"{layer_digest}.tar"]}]
        with tarfile.open(file, "w") as tar:
            _add(tar, configuration_name, io.BytesIO(configuration), len(configuration), 0o644)
            with layer.open("rb") as stream:
                _add(tar, f"{layer_digest}.tar", stream, layer.stat().st_size, 0o644)
            text = json.dumps(manifest).encode()
            _add(tar, "manifest.json", io.BytesIO(text), len(text), 0o644)
    finally:
        layer.unlink(missing_ok=True)


def write_layer(image: ProgramImage, stream: BinaryIO) -> None:
    """Write the file system: the programs, owned by root and not to be changed, and the empty folders."""
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for folder in sorted(image.folders):
            entry = tarfile.TarInfo(folder.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)
        for inside, program in sorted(image.programs.items()):
            with program.open("rb") as content:
                _add(tar, inside.lstrip("/"), content, program.stat().st_size, 0o755)


def configuration_of(image: ProgramImage, layer_digest: str) -> dict[str, object]:
    """Return the image's configuration, as the OCI image specification has it."""
    return {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "User": image.user,
            "Env": ["PATH=/"],
            "WorkingDir": "/",
            "Labels": dict(image.labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "penstock tests"}],
    }


def _add(tar: tarfile.TarFile, name: str, content: "BinaryIO | io.BytesIO", size: int, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    tar.addfile(entry, content)
