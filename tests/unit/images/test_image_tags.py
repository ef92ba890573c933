"""An image's tag is a digest of what it is made of: nothing else changes it, and all of that does."""

import shutil
from pathlib import Path

import pytest

from penstock_images import catalogue
from penstock_images.catalogue import IMAGES, ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of this checkout that images are made of, to be changed."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("job-images", "operator"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def digests(checkout: Path, base: str = "base 1") -> dict[str, str]:
    return {name: catalogue.digest(image, base, checkout) for name, image in IMAGES.items()}


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("constraints.txt", set(IMAGES)),
        ("job-images/penstock_jobs/contract/gate.py", set(IMAGES)),
        ("job-images/penstock_images/inside/trim.py", set(IMAGES)),
        ("operator/penstock/cli/__init__.py", {"operator"}),
        ("job-images/serving/Dockerfile", {"serving"}),
        ("job-images/source/programs.py", {"source"}),
        ("job-images/jobs/Dockerfile", {"jobs", "torch"}),  # torch stands on the packages of jobs
        ("job-images/penstock_images/engine.py", set()),
    ],
)
def test_an_image_has_another_tag_exactly_where_a_file_of_its_own_changed(
    checkout: Path, path: str, changed: set[str]
) -> None:
    before = digests(checkout)
    with (checkout / path).open("a") as file:
        file.write("\n# changed\n")
    after = digests(checkout)
    assert {name for name in IMAGES if before[name] != after[name]} == changed


def test_settings_of_the_linter_leave_the_tags_as_they_are(checkout: Path) -> None:
    before = digests(checkout)
    path = checkout / "pyproject.toml"
    path.write_text(path.read_text().replace("line-length = 120", "line-length = 100"))
    assert digests(checkout) == before


def test_a_dependency_gives_other_tags(checkout: Path) -> None:
    before = digests(checkout)
    path = checkout / "pyproject.toml"
    path.write_text(path.read_text().replace('"duckdb>=', '"duckdb>=1,>='))
    after = digests(checkout)
    assert all(before[name] != after[name] for name in IMAGES)


def test_compiled_files_that_lie_about_count_for_nothing(checkout: Path) -> None:
    before = digests(checkout)
    folder = checkout / "job-images/penstock_jobs/__pycache__"
    folder.mkdir(exist_ok=True)
    (folder / "gate.cpython-399.pyc").write_bytes(b"anything")
    assert digests(checkout) == before


def test_another_base_gives_other_tags(checkout: Path) -> None:
    before, after = digests(checkout, "base 1"), digests(checkout, "base 2")
    assert all(before[name] != after[name] for name in IMAGES)
