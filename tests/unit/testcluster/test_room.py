"""A disk that would run full is said before the tests fail of it."""

from pathlib import Path

import pytest

from testcluster import commands, room
from testcluster.machine.provider import Machine
from testcluster.sentences import Lacking


def test_a_disk_with_room_enough_is_not_mentioned(tmp_path: Path) -> None:
    assert room.shortage(tmp_path, lambda folder: room.needed_gib(tmp_path)) is None


def test_a_disk_that_would_run_full_is_told_with_what_is_needed_and_what_to_do(tmp_path: Path) -> None:
    said = room.shortage(tmp_path, lambda folder: 2.71)

    assert said == (
        f"{tmp_path} has 2.7 GiB free, and images, nodes and tests need 29 more: where it runs full, pods are "
        "evicted and tests fail. Free some, or name another folder in PENSTOCK_TEST_CACHE."
    )


def test_what_is_built_and_unpacked_already_is_not_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "images" / "archives").mkdir(parents=True)
    (tmp_path / "images" / "archives" / "torch-1.tar").touch()
    assert room.needed_gib(tmp_path) == room.OF_TESTS + room.OF_NODES

    (tmp_path / "machine" / "nodes" / "one" / "io.containerd.snapshotter.v1.overlayfs").mkdir(parents=True)
    assert room.needed_gib(tmp_path) == room.OF_TESTS


def test_a_cluster_of_plain_processes_is_not_started_on_a_disk_that_would_run_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(room, "free_gib", lambda folder: 1.0)
    monkeypatch.setattr(commands, "choose", Machine)
    monkeypatch.setattr(Machine, "up", lambda self: pytest.fail("it was started"))

    with pytest.raises(Lacking, match=r"has 1\.0 GiB free"):
        commands.run(commands.parser().parse_args(["run", "--", "true"]))


def test_what_is_free_is_that_of_the_folders_own_disk(tmp_path: Path) -> None:
    assert room.free_gib(tmp_path) > 0
