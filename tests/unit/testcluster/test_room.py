"""A disk that may run full is said before the tests fail of it."""

from pathlib import Path

from testcluster import room


def test_a_disk_with_room_enough_is_not_mentioned() -> None:
    assert room.shortage(Path("/cache"), lambda folder: room.ENOUGH) is None


def test_a_disk_that_is_nearly_full_is_told_with_what_is_needed_and_what_to_do() -> None:
    said = room.shortage(Path("/cache"), lambda folder: 2.71)

    assert said == (
        "/cache has 2.7 GiB free, and the images and nodes may need 12: where it runs full, pods are evicted and tests "
        "fail. Free some, or name another folder in PENSTOCK_TEST_CACHE"
    )


def test_what_is_free_is_that_of_the_folders_own_disk(tmp_path: Path) -> None:
    assert room.free_gib(tmp_path) > 0
