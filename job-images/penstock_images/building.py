"""Building: an image is built when its inputs changed, and is otherwise found."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from penstock_images import archive_contents, catalogue, leftovers, locks, pip_settings
from penstock_images import base as own_base
from penstock_images.catalogue import IMAGES, ROOT, ImageRecipe
from penstock_images.engine import BuildOrder, ContainerEngine, choose
from penstock_images.lacking import MissingForBuild

BASE_IMAGE = "python:3.11-slim"
EPOCH = 315532800  # 1980-01-01, the earliest time that a zip file can hold
SBOM = "/opt/penstock/sbom.cdx.json"


@dataclass(frozen=True)
class BuiltImage:
    """An image, and the archive that it is in.

    Attributes:
        image: which.
        reference: its name, tagged by its inputs.
        archive: a docker archive of it, uncompressed. Beside it is its bill of materials, `.cdx.json`.
        seconds: how long building it took; nothing where it was there.
    """

    image: ImageRecipe
    reference: str
    archive: Path
    seconds: float | None

    @property
    def bill_of_materials(self) -> Path:
        """Return the list of what is in the image, CycloneDX in JSON."""
        return self.archive.with_suffix(".cdx.json")


@dataclass(frozen=True)
class PushedImage:
    """An image in a registry: its repository there, its names by their tags, and its digest."""

    name: str
    repository: str
    tags: tuple[str, ...]
    digest: str

    @property
    def pinned(self) -> str:
        """Return its name by its digest, which is this very image for ever."""
        if not self.digest:
            raise MissingForBuild(f"The engine does not say under which digest {self.tags[0]} was pushed.")
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True)
class Bases:
    """What the images stand on.

    Attributes:
        base: the image that ours begin with.
        building: the image that dependencies are installed in.
        key: what tells these two from others.
        archives: where the engine finds the two, if they were made here.
    """

    base: str
    building: str
    key: str
    archives: tuple[Path, Path] | None = None


def cache_folder() -> Path:
    """Return the folder for images: `PENSTOCK_TEST_CACHE`, else `~/.cache/penstock`, and there `images`."""
    root = Path(os.environ.get("PENSTOCK_TEST_CACHE") or Path.home() / ".cache" / "penstock")
    folder = root.absolute() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Builder:
    """Builds images with one engine, on one base. Only one process at a time builds the same image.

    Args:
        engine: the name of the engine; nothing takes the one that answers.
        base_image: the base; nothing takes python:3.11-slim, else one made here.
        say: takes lines of progress.
    """

    def __init__(self, engine: str | None, base_image: str | None, say: Callable[[str], None]) -> None:
        self.cache = cache_folder()
        self.say = say
        self.engine: ContainerEngine = choose(engine, self.cache / "storage")
        self._wanted_base = base_image
        self._bases: Bases | None = None

    def build(self, name: str) -> BuiltImage:
        """Return an image with its archive, made where they are missing.

        Raises:
            Lacking: it cannot be built here.
        """
        image = IMAGES[name]
        reference = self._reference(image)
        archive = self.cache / "archives" / f"{name}-{reference.rsplit('-', 1)[1]}.tar"
        if archive.exists():
            return BuiltImage(image, reference, archive, None)
        with self._building(name):
            if archive.exists():  # another process was at it
                return BuiltImage(image, reference, archive, None)
            start = time.monotonic()
            self._have(image, reference)
            self._save(reference, archive)
            # Of gigabytes one archive is enough: who is reading the one before has it open.
            leftovers.keep_newest(archive.parent, name, 1 if image.stands_on else leftovers.KEPT)
            return BuiltImage(image, reference, archive, time.monotonic() - start)

    def build_again(self, name: str, archive: Path) -> Path:
        """Build an image from nothing, whatever the engine has of it already, and write it to an archive."""
        image = IMAGES[name]
        reference = f"penstock/{name}-again:{self._reference(image).rsplit(':', 1)[1]}"
        with self._building(f"{name}-again"):
            self._build(image, reference, {}, None, fresh=True)
            self.engine.save(reference, archive)
            self.engine.remove(reference)
        return archive

    def have(self, built: BuiltImage, tag: str) -> None:
        """See to it that the engine has an image, under its own tag and a readable one."""
        if not self.engine.identity(built.reference):
            self.engine.load(built.archive)
        self.engine.tag(built.reference, f"penstock/{built.image.name}:{tag}")

    def push(self, built: BuiltImage, registry: str, tags: Sequence[str]) -> PushedImage:
        """Send an image that the engine has to a registry under these tags."""
        repository = f"{registry.rstrip('/')}/penstock/{built.image.name}"
        names = [f"{repository}:{tag}" for tag in tags]
        digest = ""
        for name in names:
            self.engine.tag(built.reference, name)
            digest = self.engine.push(name)
        return PushedImage(built.image.name, repository, tuple(names), digest)

    def _building(self, name: str) -> AbstractContextManager[None]:
        return locks.lock_image(self.cache, name, lambda: leftovers.clean(self.cache, self.engine), self.say)

    def _have(self, image: ImageRecipe, reference: str) -> None:
        if self.engine.identity(reference):
            return
        self.say(f"building {reference} with {self.engine.name}")
        arguments: dict[str, str] = {}
        if image.stands_on:
            arguments["PACKAGES_IMAGE"] = self._packages(IMAGES[image.stands_on])
        self._build(image, reference, arguments, None)

    def _save(self, reference: str, archive: Path) -> None:
        archive.parent.mkdir(exist_ok=True)
        part = archive.with_suffix(".part")
        self.engine.save(reference, part)
        archive.with_suffix(".cdx.json").write_bytes(archive_contents.read(part, SBOM))
        part.rename(archive)

    def _reference(self, image: ImageRecipe) -> str:
        version = catalogue.project()["version"]
        return f"penstock/{image.name}:{version}-{catalogue.digest(image, self.bases().key)}"

    def _packages(self, image: ImageRecipe) -> str:
        reference = f"penstock/{image.name}-packages:{self._reference(image).rsplit(':', 1)[1]}"
        if not self.engine.identity(reference):
            self._build(image, reference, {}, "packages")
        return reference

    def _build(
        self, image: ImageRecipe, reference: str, arguments: dict[str, str], target: str | None, *, fresh: bool = False
    ) -> None:
        bases = self.bases()
        self._load(bases)
        log = self.cache / f"{image.name}.log"
        with tempfile.TemporaryDirectory(prefix="secrets-") as folder:
            order = BuildOrder(
                dockerfile=ROOT / image.dockerfile,
                context=ROOT,
                reference=reference,
                arguments={
                    "BUILD_IMAGE": bases.building,
                    "VERSION": catalogue.project()["version"],
                    "REVISION": revision(image),
                    "SOURCE_DATE_EPOCH": str(EPOCH),
                    **({} if image.stands_on else {"BASE_IMAGE": bases.base}),
                    **arguments,
                },
                secrets=pip_settings.secrets(Path(folder), os.environ),
                target=target,
                fresh=fresh,
                epoch=EPOCH,
            )
            self.engine.build(order, log)

    def bases(self) -> Bases:
        """Return what the images stand on, found or made once."""
        if self._bases is None:
            self._bases = self._use_named_base(self._wanted_base or BASE_IMAGE) or self._own_base()
        return self._bases

    def _use_named_base(self, reference: str) -> Bases | None:
        if not self.engine.identity(reference) and not self.engine.pull(reference):
            if self._wanted_base:
                raise MissingForBuild(f"The base image {reference} is not here, and {self.engine.name} cannot pull it.")
            return None
        return Bases(reference, reference, f"{reference} {self.engine.identity(reference)}")

    def _own_base(self) -> Bases:
        if not own_base.is_made(self.cache):
            with self._building("base"):
                if not own_base.is_made(self.cache):
                    self.say(f"making the base, for {BASE_IMAGE} cannot be pulled here")
                    own_base.make(self.cache)
        made = own_base.make(self.cache)
        archives = (made.archive, made.building_archive)
        return Bases(made.reference, made.building, made.identity, archives)

    def _load(self, bases: Bases) -> None:
        for reference, archive in zip((bases.base, bases.building), bases.archives or (), strict=False):
            if not self.engine.identity(reference):
                self.engine.load(archive)


def revision(image: ImageRecipe) -> str:
    """Return the last commit that changed what an image is made of, `-dirty` where that has changed since.

    It is `unknown` where git cannot tell.
    """
    files = [str(each.relative_to(ROOT)) for each in catalogue.inputs(image)]
    commit = _git("log", "-1", "--format=%H", "--", *files)
    if not commit:
        return "unknown"
    return f"{commit}-dirty" if _git("status", "--porcelain", "--", *files) else commit


def _git(*words: str) -> str:
    try:
        ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ended.stdout.strip()
