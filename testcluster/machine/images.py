"""What images a node keeps: none is imported twice, and old ones go when new ones of the same name come."""

import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from testcluster import cache
from testcluster.machine import folders
from testcluster.machine.clean import Control
from testcluster.machine.configurations import runtime_socket
from testcluster.machine.plan import Node
from testcluster.sentences import Lacking

# Images of one name that a node keeps: that of torch takes 10 GB there, packed and unpacked.
KEPT = 2
# References to images, oldest first, with the digest of their configuration, which is that of their content.
Record = dict[str, str]


@dataclass(frozen=True)
class ArchivedImage:
    """An image in an archive as `docker save` writes it."""

    reference: str
    configuration: str


def images_in(archive: Path) -> list[ArchivedImage]:
    """Return the images of an archive; none where it is of another form, or gives them no names."""
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile("manifest.json")
            manifest = json.load(member) if member else []
    except (KeyError, tarfile.TarError, json.JSONDecodeError):
        return []
    return [ArchivedImage(name, each["Config"]) for each in manifest for name in each["RepoTags"] or ()]


def bring(node: Node, archive: Path, inner: int) -> None:
    """Import an archive into the node's container runtime, unless it has the very images."""
    wanted = images_in(archive)
    control = Control(runtime_socket(node))
    with cache.lock(f"images-{node.name}", f"the images of {node.name}"):
        record = read(node)
        there = {*_inside(inner, control.command("images", "list", "--quiet")).split()}
        if wanted and all(is_there(each, record, there) for each in wanted):
            return
        _inside(inner, control.command("images", "import", str(archive.absolute())))
        for image in wanted:
            record.pop(image.reference, None)
            record[image.reference] = image.configuration
        left = {each: record[each] for each in record if each not in choose_outdated(record)}
        if gone := sorted(there & {*names_of(record)} - {*names_of(left)}):
            _inside(inner, control.command("images", "remove", *gone))
        write(node, left)


def is_there(image: ArchivedImage, record: Record, there: set[str]) -> bool:
    """Whether a node has the image with this very content."""
    return record.get(image.reference) == image.configuration and full_name(image.reference) in there


def choose_outdated(record: Record) -> list[str]:
    """Return the references that make room: of each name all but the last few."""
    names: dict[str, list[str]] = {}
    for reference in record:
        names.setdefault(reference.rpartition(":")[0], []).append(reference)
    return [reference for references in names.values() for reference in references[:-KEPT]]


def names_of(record: Record) -> list[str]:
    """Return all names that containerd has for these images: Kubernetes adds the digest of the configuration."""
    digests = [f"sha256:{PurePosixPath(configuration).stem}" for configuration in record.values()]
    return [*map(full_name, record), *digests]


def full_name(reference: str) -> str:
    """Return a reference as containerd keeps it, with the registry that is meant where none is named."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"


def read(node: Node) -> Record:
    """Return what was imported on a node."""
    try:
        record: Record = json.loads(_file(node).read_text())
    except FileNotFoundError:
        return {}
    return record


def write(node: Node, record: Record) -> None:
    """Keep what was imported on a node."""
    part = _file(node).with_suffix(".part")
    part.write_text(json.dumps(record, indent=1))
    part.replace(_file(node))


def _file(node: Node) -> Path:
    return folders.runtime_root(node.name) / "imported.json"


def _inside(inner: int, command: list[str]) -> str:
    """Run a command with the cluster's own view of the files."""
    done = subprocess.run(["nsenter", f"--target={inner}", "--mount", *command], capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
