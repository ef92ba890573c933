"""An archive of the base holds the files as they are, and the same files give the same bytes."""

import os
from pathlib import Path, PurePosixPath

import pytest

from penstock_images import archive_contents, base, docker_archive
from penstock_images.docker_archive import Entry

CONFIGURATION = {"Env": ["LANG=C.UTF-8"]}


def write(folder: Path, tree: Path, paths: list[str]) -> tuple[str, bytes]:
    archive = folder / "image.tar"
    entries = [Entry(each, source=tree / each) for each in paths]
    identity = docker_archive.write(archive, "penstock/base:1", entries, CONFIGURATION, epoch=1)
    return identity, archive.read_bytes()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/sh").write_bytes(b"program")
    os.link(folder / "usr/bin/sh", folder / "usr/bin/dash")
    (folder / "bin").symlink_to("usr/bin")
    return folder


def test_the_same_files_give_the_same_bytes_whatever_their_order_and_their_time(tree: Path, tmp_path: Path) -> None:
    first = write(tmp_path, tree, ["bin", "usr/bin", "usr/bin/dash", "usr/bin/sh"])
    os.utime(tree / "usr/bin/sh", (5, 5))
    assert write(tmp_path, tree, ["usr/bin/sh", "usr/bin/dash", "usr/bin", "bin"]) == first


def test_another_content_gives_another_identity(tree: Path, tmp_path: Path) -> None:
    before, _ = write(tmp_path, tree, ["usr/bin/sh"])
    (tree / "usr/bin/sh").write_bytes(b"another")
    after, _ = write(tmp_path, tree, ["usr/bin/sh"])
    assert after != before


def test_a_file_is_whole_even_where_its_hard_link_is_left_out(tree: Path, tmp_path: Path) -> None:
    write(tmp_path, tree, ["usr/bin/dash", "usr/bin/sh"])
    archive = tmp_path / "image.tar"
    assert (
        archive_contents.read(archive, "/usr/bin/dash") == archive_contents.read(archive, "/usr/bin/sh") == b"program"
    )


def test_the_archive_says_what_the_image_is(tree: Path, tmp_path: Path) -> None:
    write(tmp_path, tree, ["usr/bin/sh"])
    described = archive_contents.configuration(tmp_path / "image.tar")
    assert described["config"] == CONFIGURATION
    assert len(described["rootfs"]["diff_ids"]) == len(archive_contents.layers(tmp_path / "image.tar")) == 1


def test_a_file_that_is_not_there_is_named(tree: Path, tmp_path: Path) -> None:
    write(tmp_path, tree, ["usr/bin/sh"])
    with pytest.raises(KeyError, match=r"image\.tar has no /etc/passwd"):
        archive_contents.read(tmp_path / "image.tar", "/etc/passwd")


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("usr/share/doc", False),
        ("usr/share/doc/libc6", False),
        ("usr/share/doc/libc6/copyright", False),
        ("usr/share/doc/libc6/changelog.gz", True),
        ("usr/share/man/man1/ls.1.gz", True),
        ("usr/share/locale", True),
        ("usr/lib/python3.11/os.py", False),
    ],
)
def test_manuals_go_and_licences_stay(path: str, left_out: bool) -> None:
    assert base.is_left_out(PurePosixPath(path)) is left_out
