"""The images that there are, and the digest of what each is made of."""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ImageRecipe:
    """One image.

    Attributes:
        name: what comes after `penstock/`.
        code: the packages of ours that are in it, relative to the root of the checkout.
        goal: how many megabytes (10^6 bytes) it should take, uncompressed and with its base; none for torch.
        stands_on: the image whose packages it adds to.
    """

    name: str
    code: tuple[str, ...]
    goal: int | None
    stands_on: str | None = None

    @property
    def dockerfile(self) -> str:
        """Return where its Dockerfile is, relative to the root of the checkout."""
        return f"job-images/{self.name}/Dockerfile"


IMAGES = {
    each.name: each
    for each in (
        ImageRecipe("jobs", ("job-images/penstock_jobs",), goal=450),
        ImageRecipe("serving", ("job-images/penstock_jobs",), goal=250),
        ImageRecipe("source", ("job-images/penstock_jobs",), goal=120),
        ImageRecipe("operator", ("operator/penstock", "job-images/penstock_jobs"), goal=180),
        ImageRecipe("torch", ("job-images/penstock_jobs",), goal=None, stands_on="jobs"),
    )
}


def project(root: Path = ROOT) -> dict[str, Any]:
    """Return the table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return table


def digest(image: ImageRecipe, base: str, root: Path = ROOT) -> str:
    """Return a digest of all that an image is made of: the same inputs give the same, on any machine.

    Args:
        image: which.
        base: what tells the base and the image that dependencies are installed in.
        root: the checkout.
    """
    sums = hashlib.sha256(f"{base}\n".encode())
    sums.update(json.dumps(project(root), sort_keys=True).encode())
    for path in inputs(image, root):
        content = path.read_bytes()
        sums.update(f"{path.relative_to(root)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return sums.hexdigest()[:12]


def inputs(image: ImageRecipe, root: Path = ROOT) -> Iterator[Path]:
    """Return the files that an image is made of, in order."""
    yield root / "constraints.txt"
    yield from sorted(each for each in (root / image.dockerfile).parent.iterdir() if each.is_file())
    if image.stands_on:
        yield root / IMAGES[image.stands_on].dockerfile
    for folder in ("job-images/penstock_images/inside", *image.code):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
