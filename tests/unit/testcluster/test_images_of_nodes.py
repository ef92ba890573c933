"""A node imports no image twice, and keeps the last few of each name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testcluster.addons.archive import ProgramImage, write
from testcluster.machine import images
from testcluster.machine.images import KEPT, ArchivedImage

IMAGE = ArchivedImage("penstock/jobs:1", "abc.json")


def test_an_archive_tells_the_names_and_the_content_of_its_images(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"anything")
    file = tmp_path / "image.tar"
    write(ProgramImage("penstock-test/any", {"/program": program}, ("/program",)), "penstock-test/any:1", file)
    (image,) = images.images_in(file)
    assert image.reference == "penstock-test/any:1"
    assert image.configuration.endswith(".json")


def test_an_archive_of_another_form_is_always_imported(tmp_path: Path) -> None:
    file = tmp_path / "other.tar"
    file.write_bytes(b"")
    assert images.images_in(file) == []


def test_an_image_is_there_only_with_the_same_content_and_while_the_runtime_has_it() -> None:
    names = {"docker.io/penstock/jobs:1"}
    assert images.is_there(IMAGE, {"penstock/jobs:1": "abc.json"}, names)
    assert not images.is_there(IMAGE, {"penstock/jobs:1": "other.json"}, names)
    assert not images.is_there(IMAGE, {}, names)
    assert not images.is_there(IMAGE, {"penstock/jobs:1": "abc.json"}, set())


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("penstock/jobs:1", "docker.io/penstock/jobs:1"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("registry.example.org/penstock/jobs:1", "registry.example.org/penstock/jobs:1"),
        ("localhost/jobs:1", "localhost/jobs:1"),
        ("host:5000/jobs:1", "host:5000/jobs:1"),
    ],
)
def test_a_reference_is_completed_as_containerd_does(reference: str, whole: str) -> None:
    assert images.full_name(reference) == whole


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), unique=True))
def test_of_each_name_the_last_few_stay_and_no_others(tags: list[tuple[str, int]]) -> None:
    record = {f"{name}:{number}": "any" for name, number in tags}
    left = [reference for reference in record if reference not in images.choose_outdated(record)]
    for name in "abc":
        all_of_it = [reference for reference in record if reference.startswith(name)]
        assert [reference for reference in left if reference.startswith(name)] == all_of_it[-KEPT:]


def test_an_image_has_a_name_by_its_tag_and_one_by_its_content() -> None:
    assert images.names_of({"penstock/jobs:1": "abc.json"}) == ["docker.io/penstock/jobs:1", "sha256:abc"]
    assert images.names_of({"penstock/jobs:1": "blobs/sha256/abc"})[1] == "sha256:abc"
