"""Docker, podman and buildah are asked for the same thing, each in its own words."""

import os
from pathlib import Path

import pytest

from penstock_images import engine, leftovers
from penstock_images.engine import BuildOrder, ContainerEngine
from penstock_images.lacking import MissingForBuild

SAYS = """#!/bin/sh
echo "${0##*/} $*" >> "$SAID"
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with three programs that write down how they are called."""
    for name in engine.NAMES:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(SAYS)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    return tmp_path / "said"


def order(folder: Path) -> BuildOrder:
    return BuildOrder(
        dockerfile=Path("job-images/jobs/Dockerfile"),
        context=Path(),
        reference="penstock/jobs:1",
        arguments={"BASE_IMAGE": "python:3.11-slim"},
        secrets={"pip": folder / "pip.conf"},
        target=None,
        epoch=315532800,
    )


@pytest.mark.parametrize(
    ("name", "of_its_own"),
    [("docker", ""), *((each, " --layers --timestamp 315532800") for each in ("podman", "buildah"))],
)
def test_the_same_build_is_asked_of_each(said: Path, tmp_path: Path, name: str, of_its_own: str) -> None:
    ContainerEngine(name, (name,)).build(order(tmp_path), tmp_path / "log")
    assert said.read_text().strip() == (
        f"{name} build --file job-images/jobs/Dockerfile --tag penstock/jobs:1{of_its_own} "
        f"--build-arg BASE_IMAGE=python:3.11-slim --secret id=pip,src={tmp_path}/pip.conf ."
    )


def test_the_first_that_answers_is_taken_and_a_name_asks_for_another(said: Path, tmp_path: Path) -> None:
    assert engine.choose(None, tmp_path).name == "docker"
    assert engine.choose("podman", tmp_path).name == "podman"


def test_buildah_has_a_store_of_its_own(said: Path, tmp_path: Path) -> None:
    words = engine.choose("buildah", tmp_path / "storage").words
    assert words[words.index("--root") + 1].startswith(str(tmp_path / "storage"))
    assert words[words.index("--runroot") + 1].startswith(str(tmp_path / "storage"))


def test_no_engine_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingForBuild) as refused:
        engine.choose(None, tmp_path)
    assert str(refused.value) == (
        "Images are built with docker, podman or buildah, and none answers here (on Debian: apt install buildah)."
    )


def test_an_engine_that_is_asked_for_and_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingForBuild) as refused:
        engine.choose("podman", tmp_path)
    assert (
        str(refused.value)
        == "podman does not answer here; start it, or name another engine: make images ENGINE=buildah"
    )


def test_a_name_that_is_no_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingForBuild, match="kaniko is none of the engines"):
        engine.choose("kaniko", tmp_path)


def test_of_a_failed_build_the_line_of_the_command_is_told() -> None:
    log = (
        "STEP 8/8: RUN pip install\nERROR: No matching distribution found for duckdb>=9\n"
        'subprocess exited with status 1\nError: building at STEP "RUN pip install": exit status 1\n'
    )
    assert engine.last_telling_line(log) == "ERROR: No matching distribution found for duckdb>=9"


def test_mounts_of_a_killed_bootstrap_are_found_the_deepest_first(tmp_path: Path) -> None:
    mountinfo = (
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "30 22 0:5 / /cache/base-tmp1/tree/proc rw - proc proc rw\n"
        "31 30 0:6 / /cache/base-tmp1/tree/proc/sys\\040x rw - binfmt binfmt rw\n"
        "32 22 0:7 / /cache/base-tmp12 rw - tmpfs tmpfs rw\n"
    )
    assert leftovers.mounts_below(mountinfo, Path("/cache/base-tmp1")) == [
        "/cache/base-tmp1/tree/proc/sys x",
        "/cache/base-tmp1/tree/proc",
    ]


def test_of_old_archives_the_newest_stay(tmp_path: Path) -> None:
    for number in range(4):
        for suffix in (".tar", ".cdx.json"):
            path = tmp_path / f"jobs-{number}{suffix}"
            path.touch()
            os.utime(path, (number, number))
    (tmp_path / "serving-0.tar").touch()
    leftovers.keep_newest(tmp_path, "jobs")
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == ["jobs-2.cdx.json", "jobs-2.tar", "jobs-3.cdx.json", "jobs-3.tar", "serving-0.tar"]


def test_an_image_whose_archive_is_gone_is_forgotten_with_its_packages_and_no_other() -> None:
    listed = [
        *(
            "localhost/penstock/jobs:0.1.0-aaa",
            "localhost/penstock/jobs:0.1.0-bbb",
            "localhost/penstock/jobs:0.1.0",
            "penstock/jobs-packages:0.1.0-aaa",
        ),
        *("localhost/penstock/serving:0.1.0-aaa", "localhost/penstock/base:bookworm-aaa", "<none>:<none>"),
    ]
    assert leftovers.find_outdated(listed, "jobs", {"bbb"}) == [
        "localhost/penstock/jobs:0.1.0-aaa",
        "penstock/jobs-packages:0.1.0-aaa",
    ]
