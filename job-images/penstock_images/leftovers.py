"""What builds that were killed left behind, and what no build needs any more."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from penstock_images.catalogue import IMAGES
from penstock_images.engine import ContainerEngine

KEPT = 2  # the newest, and the one before, which somebody may be at
UNNAMED = 60  # steps of builds that buildah's store keeps, so that the next build begins where one differs


def clean(cache: Path, engine: ContainerEngine) -> None:
    """Take away what a killed build left: half-made bases with their mounts, half-written archives, build containers.

    Args:
        cache: our own folder; the caller holds its lock, so nobody is building.
        engine: only buildah's own store, in that folder, is cleaned: what docker and podman have belongs to a person.
    """
    for folder in cache.glob("base-tmp*"):
        for mounted in mounts_below(Path("/proc/self/mountinfo").read_text(), folder):
            subprocess.run(["umount", "--lazy", mounted], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    for old in _newest_first(cache.glob("base-[0-9a-f]*"))[KEPT:]:
        shutil.rmtree(old)
    for part in (cache / "archives").glob("*.part"):
        part.unlink()
    if engine.name != "buildah":
        return
    if engine.must("listing containers", "containers", "--quiet").split():
        engine.must("removing containers of builds that were killed", "rm", "--all")
    _forget_old(engine, cache / "archives")


def mounts_below(mountinfo: str, folder: Path) -> list[str]:
    """Return what is mounted in a folder, the deepest first (proc(5) says how mountinfo is written)."""
    points = [line.split()[4] for line in mountinfo.splitlines() if line.strip()]
    decoded = [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), each) for each in points]
    return sorted((each for each in decoded if Path(each).is_relative_to(folder)), key=len, reverse=True)


def keep_newest(folder: Path, name: str, number: int = KEPT) -> None:
    """Remove the archives of an image but the newest few, with what is beside them."""
    for old in _newest_first(folder.glob(f"{name}-*.tar"))[number:]:
        old.unlink()
        old.with_suffix(".cdx.json").unlink(missing_ok=True)


def _forget_old(engine: ContainerEngine, folder: Path) -> None:
    """Remove from our own store the images whose archives are gone, and the steps of builds once they are many."""
    listed = engine.must("listing images", "images", "--format", "{{.Name}}:{{.Tag}}").split()
    for name in IMAGES:
        digests = {each.stem.rpartition("-")[2] for each in folder.glob(f"{name}-*.tar")}
        for old in find_outdated(listed, name, digests):
            engine.remove(old)
    unnamed = engine.must("listing images", "images", "--quiet", "--filter", "dangling=true").split()
    if len(set(unnamed)) > UNNAMED:
        engine.must("removing steps of old builds", "rmi", "--prune")


def find_outdated(references: list[str], name: str, digests: set[str]) -> list[str]:
    """Return the images of this name, and the packages under them, whose tag ends in a digest and in none of these."""
    names = (f"penstock/{name}", f"penstock/{name}-packages")
    own = [each for each in references if each.rpartition(":")[0].removeprefix("localhost/") in names]
    return [each for each in own if "-" in each.rpartition(":")[2] and each.rpartition("-")[2] not in digests]


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda each: each.stat().st_mtime, reverse=True)
