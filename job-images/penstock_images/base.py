"""The base of the images where no registry can be reached: Debian bookworm with Python 3.11, made by debootstrap.

Two images come of one bootstrap: the base, which has Python and what Python needs and neither package manager nor
perl, and the one that the dependencies are installed in, which has pip and strip besides. Debian's old packages cannot
be asked for again, so what makes the base reproducible is the list of its packages, which every image's SBOM holds.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from penstock_images import debian, docker_archive
from penstock_images.docker_archive import Entry
from penstock_images.lacking import MissingForBuild

SUITE = "bookworm"
EPOCH = 1
WANTED = ("base-files", "base-passwd", "ca-certificates", "coreutils", "dash", "libstdc++6", "python3", "tzdata")
BUILDING = ("binutils", "python3-pip")
# What these are needed for is over once the packages are installed; ca-certificates asks openssl for hashes once.
WITHOUT = frozenset({"debconf", "debconf-2.0", "dpkg", "openssl", "perl-base"})
# What the packages' scripts made, and no package owns.
MADE = (
    *("bin", "lib", "lib32", "lib64", "libx32", "sbin"),
    *("etc/group", "etc/localtime", "etc/nsswitch.conf", "etc/os-release", "etc/passwd", "etc/shadow", "etc/timezone"),
)
LEFT_OUT = (
    *("usr/share/doc-base", "usr/share/info", "usr/share/lintian", "usr/share/locale"),
    *("usr/share/man", "usr/share/menu", "usr/share/bug", "usr/share/pixmaps", "usr/share/applications"),
    # Conversions between character sets by the C library: Python has its own.
    *("usr/lib/x86_64-linux-gnu/gconv", "usr/lib/aarch64-linux-gnu/gconv"),
    *("var/cache", "var/lib/apt/lists", "var/log", "etc/hostname", "etc/resolv.conf", "dev"),
)
CONFIGURATION = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    "Cmd": ["python3"],
}


@dataclass(frozen=True)
class Base:
    """The two images, and the archives that they are in.

    Attributes:
        reference: the base: what an image stands on.
        building: what dependencies are installed in.
        identity: the digests of both: what they are made of.
    """

    reference: str
    building: str
    identity: str
    archive: Path
    building_archive: Path


def make(cache: Path) -> Base:
    """Return the base, made where the cache does not have it.

    Args:
        cache: the folder that keeps it, by its recipe.

    Raises:
        Lacking: this machine cannot make it.
    """
    key = recipe_digest()
    folder = cache / f"base-{key}"
    if not is_made(cache):
        _require_programs()
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="base-tmp", dir=cache) as temporary:
            made = Path(temporary) / "made"
            made.mkdir()
            _write(_bootstrap(Path(temporary)), made, key)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    reference, building = _references(key)
    identity = (folder / "identity").read_text()
    return Base(reference, building, identity, folder / "base.tar", folder / "building.tar")


def is_made(cache: Path) -> bool:
    """Return whether the cache has the base of this recipe."""
    return (cache / f"base-{recipe_digest()}" / "identity").exists()


def recipe_digest() -> str:
    """Return a digest of all that says what the base is."""
    files = [Path(__file__), Path(debian.__file__), Path(docker_archive.__file__)]
    return hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:12]


def _references(key: str) -> tuple[str, str]:
    return f"penstock/base:{SUITE}-{key}", f"penstock/building:{SUITE}-{key}"


def _require_programs() -> None:
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise MissingForBuild(
            "The base image python:3.11-slim cannot be had here, and making one takes root and debootstrap (on Debian: "
            "apt install debootstrap); or name a base that your engine has: make images BASE_IMAGE=…"
        )


def _bootstrap(folder: Path) -> Path:
    tree = folder / "tree"
    include = ",".join((*WANTED, *BUILDING))
    log = folder.parent / "debootstrap.log"
    with log.open("w") as output:
        words = ["debootstrap", "--variant=minbase", f"--include={include}", SUITE, str(tree)]
        ended = subprocess.run(words, stdout=output, stderr=subprocess.STDOUT, close_fds=False, check=False)
    if ended.returncode != 0:
        raise MissingForBuild(f"debootstrap could not make the base image; its last words are in {log}.")
    compiling = ["chroot", str(tree), "python3", "-m", "compileall", "-q", "-f", "--invalidation-mode"]
    subprocess.run([*compiling, "unchecked-hash", "/usr/lib/python3.11", "/usr/lib/python3"], check=False)
    return tree


def _write(tree: Path, folder: Path, key: str) -> None:
    packages = debian.read_packages((tree / "var/lib/dpkg/status").read_text())
    kept = debian.dependency_closure(packages, WANTED, WITHOUT)
    reference, building = _references(key)
    entries = [Entry("var/lib/dpkg/status", content=debian.status_of(kept.values()).encode())]
    entries += [Entry(str(path), source=tree / path) for path in sorted(_files_of(tree, kept))]
    base = docker_archive.write(folder / "base.tar", reference, entries, CONFIGURATION, EPOCH)
    every = (Entry(str(path), source=tree / path) for path in _walk(tree, PurePosixPath()) if not is_left_out(path))
    made = docker_archive.write(folder / "building.tar", building, every, CONFIGURATION, EPOCH)
    (folder / "identity").write_text(f"{base} {made}")


def _files_of(tree: Path, packages: dict[str, debian.DebianPackage]) -> set[PurePosixPath]:
    """Return the paths that these packages brought or made, with their folders, links to folders resolved."""
    paths = {PurePosixPath(each) for each in MADE if (tree / each).is_symlink() or (tree / each).exists()}
    paths.update(_walk(tree, PurePosixPath("etc/ssl/certs")))
    for package in packages.values():
        for line in _read_list(tree, package).splitlines():
            owned = PurePosixPath(line).relative_to("/")
            path = PurePosixPath(os.path.realpath(tree / owned.parent)).relative_to(tree.resolve()) / owned.name
            if os.path.lexists(tree / path):
                paths.add(path)
    paths.update([*_bytecode_files(tree, paths)])
    folders = {folder for path in paths for folder in path.parents if folder.name}
    return {path for path in paths | folders if path.name and not is_left_out(path)}


def _read_list(tree: Path, package: debian.DebianPackage) -> str:
    info = tree / "var/lib/dpkg/info"
    exact = info / f"{package.name}.list"
    return (exact if exact.exists() else info / f"{package.name}:{package.architecture}.list").read_text()


def _bytecode_files(tree: Path, paths: set[PurePosixPath]) -> Iterator[PurePosixPath]:
    for path in paths:
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc"
        if path.suffix == ".py" and (tree / compiled).exists():
            yield compiled


def _walk(tree: Path, folder: PurePosixPath) -> Iterator[PurePosixPath]:
    for each in sorted(os.scandir(tree / folder), key=lambda entry: entry.name):
        path = folder / each.name
        yield path
        if each.is_dir(follow_symlinks=False):
            yield from _walk(tree, path)


def is_left_out(path: PurePosixPath) -> bool:
    """Return whether a path is of no use in an image."""
    if path.parts[:3] == ("usr", "share", "doc"):  # the licences are owed to whom the image is given
        return len(path.parts) > 4 and path.name != "copyright"
    return any(path == PurePosixPath(each) or PurePosixPath(each) in path.parents for each in LEFT_OUT)
