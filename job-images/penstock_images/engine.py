"""The three container engines, as far as building takes: what each calls the same thing."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock_images.lacking import MissingForBuild

NAMES = ("docker", "podman", "buildah")
PULLING = 300.0  # seconds


@dataclass(frozen=True)
class BuildOrder:
    """What an engine is asked to build.

    Attributes:
        dockerfile: the file.
        context: the folder that it copies from.
        reference: the name and tag of what it makes.
        arguments: the values of the file's `ARG`s.
        secrets: files that the build can read and the image does not have, by their ids.
        target: the stage to stop at; none is the last.
        epoch: the time of what is made, in seconds since 1970.
        fresh: do every step again, whatever was done before.
    """

    dockerfile: Path
    context: Path
    reference: str
    arguments: Mapping[str, str]
    secrets: Mapping[str, Path]
    target: str | None
    epoch: int
    fresh: bool = False


@dataclass(frozen=True)
class ContainerEngine:
    """A container engine that answers.

    Attributes:
        name: docker, podman or buildah.
        words: how its commands begin.
        environment: what its process has in its environment, beside ours.
    """

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def identity(self, reference: str) -> str | None:
        """Return the digest of an image's configuration, or nothing where the engine does not have the image."""
        if self.name == "buildah":
            found = self._run("images", "--no-trunc", "--quiet", "--filter", f"reference={reference}")
            return found.stdout.split()[0] if found.returncode == 0 and found.stdout.split() else None
        found = self._run("image", "inspect", "--format", "{{.Id}}", reference)
        return found.stdout.strip() if found.returncode == 0 else None

    def pull(self, reference: str) -> bool:
        """Fetch an image from its registry; return whether that went well, within some minutes."""
        try:
            return self._run("pull", "--quiet", reference, timeout=PULLING).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def load(self, archive: Path) -> None:
        """Take in the image of a docker archive."""
        words = ("pull", "--quiet", f"docker-archive:{archive}") if self.name == "buildah" else ("load", "-i", archive)
        self.must(f"taking in {archive.name}", *words)

    def save(self, reference: str, archive: Path) -> None:
        """Write an image to a docker archive, uncompressed, under this one name."""
        archive.unlink(missing_ok=True)
        if self.name == "buildah":
            image = self.identity(reference) or reference
            words: tuple[str | Path, ...] = ("push", "--quiet", image, f"docker-archive:{archive}:{reference}")
        elif self.name == "podman":
            words = ("save", "--format", "docker-archive", "-o", archive, reference)
        else:
            words = ("save", "-o", archive, reference)
        self.must(f"writing {reference} to {archive}", *words)

    def tag(self, reference: str, other: str) -> None:
        """Give an image another name."""
        self.must(f"naming {reference} {other}", "tag", reference, other)

    def remove(self, reference: str) -> None:
        """Forget an image; one that another stands on stays, and goes with a later call."""
        self._run("rmi", reference)

    def push(self, reference: str) -> str:
        """Send an image to the registry that its name says; return the digest that it has there."""
        what = f"pushing {reference}"
        if self.name == "docker":
            self.must(what, "push", reference)
            listed = self.must(what, "image", "inspect", "--format", "{{json .RepoDigests}}", reference)
            repository = reference.rpartition(":")[0]
            found = [each for each in json.loads(listed) or () if each.partition("@")[0] == repository]
            return str(found[0].partition("@")[2]) if found else ""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest"
            self.must(what, "push", "--digestfile", file, reference)
            return file.read_text("utf-8").strip()

    def build(self, order: BuildOrder, log: Path) -> None:
        """Build an image. What the engine says goes to the log.

        Raises:
            Lacking: the build failed; the sentence has the last line of the log.
        """
        with log.open("w") as output:
            ended = subprocess.run(
                [*self.words, *self._build_words(order)],
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                close_fds=False,  # it inherits the locks
                check=False,
            )
        if ended.returncode != 0:
            said = last_telling_line(log.read_text(errors="replace"))
            raise MissingForBuild(f"{self.name} could not build {order.reference}: {said} (all of it is in {log})")

    def _build_words(self, order: BuildOrder) -> list[str]:
        words = ["build", "--file", str(order.dockerfile), "--tag", order.reference]
        if self.name != "docker":  # docker takes the time from the argument SOURCE_DATE_EPOCH
            words += ["--layers", "--timestamp", str(order.epoch)]
        if order.fresh:
            words.append("--no-cache")
        for key, value in sorted(order.arguments.items()):
            words += ["--build-arg", f"{key}={value}"]
        for key, path in sorted(order.secrets.items()):
            words += ["--secret", f"id={key},src={path}"]
        if order.target:
            words += ["--target", order.target]
        return [*words, str(order.context)]

    def must(self, what: str, *words: str | Path) -> str:
        """Run a command of the engine, or say in one sentence what it could not do; return what it printed."""
        ended = self._run(*words)
        if ended.returncode != 0:
            last = (ended.stderr or ended.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise MissingForBuild(f"{self.name} failed at {what}: {last[0]}")
        return ended.stdout

    def _run(self, *words: str | Path, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.words, *map(str, words)],
            env={**os.environ, **self.environment},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )


def last_telling_line(log: str) -> str:
    """Return the last line of a build's log that is of the command that failed, not of the engine about it."""
    lines = [each.strip() for each in log.splitlines() if each.strip()]
    own = [
        each for each in lines if not each.startswith(("subprocess exited", "Error: building at", "ERROR: failed to"))
    ]
    return (own or lines or ["it said nothing"])[-1]


def choose(wanted: str | None, storage: Path) -> ContainerEngine:
    """Return the engine that is asked for, else the first of docker, podman and buildah that answers.

    Args:
        wanted: its name, or nothing.
        storage: a folder for the images of buildah, which gets a store of its own here.

    Raises:
        Lacking: none answers.
    """
    if wanted and wanted not in NAMES:
        raise MissingForBuild(f"{wanted} is none of the engines that images can be built with: {', '.join(NAMES)}.")
    for name in (wanted,) if wanted else NAMES:
        found = _buildah(storage) if name == "buildah" else _daemon(name)
        if found:
            return found
    if wanted:
        raise MissingForBuild(
            f"{wanted} does not answer here; start it, or name another engine: make images ENGINE=buildah"
        )
    raise MissingForBuild(
        "Images are built with docker, podman or buildah, and none answers here (on Debian: apt install buildah)."
    )


def _daemon(name: str) -> ContainerEngine | None:
    if not shutil.which(name) or not _answers((name, "info")):
        return None
    return ContainerEngine(name, (name,), {"DOCKER_BUILDKIT": "1"} if name == "docker" else {})


def _buildah(storage: Path) -> ContainerEngine | None:
    """Return buildah with a store in a folder of our own: on overlay where the machine can, else copied whole."""
    if not shutil.which("buildah"):
        return None
    isolation = {"BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot")}
    for driver in ("overlay", "vfs"):
        place = storage / driver
        words = (
            "buildah",
            "--storage-driver",
            driver,
            "--root",
            str(place),
            "--runroot",
            str(storage / "run" / driver),
        )
        if _answers((*words, "info")):
            return ContainerEngine("buildah", words, isolation)
    return None


def _answers(words: Sequence[str]) -> bool:
    try:
        ended = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
