"""What a job is told of a volume claim it reads there and nowhere else, and of files alone."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_jobs.contract import addresses
from penstock_jobs.contract.addresses import leads_out
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.specification import Location
from penstock_jobs.storage import open_store
from penstock_jobs.storage.folder import FolderStore
from penstock_jobs.storage.matching import matching_files

SECRET = "not-a-real-secret"
PIECES = st.lists(
    st.sampled_from(["..", ".", "/", "\\", "%2e", "%2E", "%252e", "%25", "2e", "%2f", "%5c", "a", "%", ":"])
)


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of claims, `data` and `others`, and beside it the Secrets of the pod."""
    monkeypatch.setattr(addresses, "VOLUMES", str(tmp_path / "volumes"))
    for folder in ("volumes/data/in", "volumes/others", "credentials"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "credentials/key.csv").write_text(SECRET)
    (tmp_path / "volumes/others/key.csv").write_text(SECRET)
    return tmp_path / "volumes"


@pytest.mark.parametrize(
    "there", ["../../../credentials/key.csv", "../../others/key.csv", "{absolute}/credentials/key.csv"]
)
@pytest.mark.parametrize(
    "look",
    [
        lambda store: store.read("key.csv"),
        lambda store: store.local_path("key.csv"),
        lambda store: store.keys(),
        lambda store: store.exists("key.csv"),
        lambda store: store.write("key.csv", b"mine"),
    ],
)
def test_a_link_out_of_a_volume_is_refused_whatever_is_done_with_it(
    volumes: Path, there: str, look: Callable[[FolderStore], object]
) -> None:
    (volumes / "data/in/key.csv").symlink_to(there.format(absolute=volumes.parent))

    with pytest.raises(Refused, match=r"leads out of the volume .*/data, by a link or a"):
        look(FolderStore(volumes / "data/in"))
    assert (volumes.parent / "credentials/key.csv").read_text() == SECRET


@pytest.mark.parametrize("pattern", ["in/key.csv", "in/*.csv", "**/*.csv", "linked/*.csv", "../../credentials/key.csv"])
def test_no_pattern_of_an_input_reads_what_is_outside_of_its_volume(volumes: Path, pattern: str) -> None:
    (volumes / "data/in/key.csv").symlink_to(volumes.parent / "credentials/key.csv")
    (volumes / "data/linked").symlink_to(volumes.parent / "credentials")

    with pytest.raises(Refused, match="leads out of the volume"):
        matching_files(Location(uri=f"file://{volumes}/data/{pattern}"))


def test_a_volume_that_was_named_by_going_up_from_another_is_refused(volumes: Path) -> None:
    with pytest.raises(Refused, match="leads out of the volume"):
        open_store(Location(uri=f"file://{volumes}/data/../others")).read("key.csv")


def test_a_link_within_a_volume_is_followed(volumes: Path) -> None:
    (volumes / "data/real.csv").write_text("rows")
    (volumes / "data/in/rows.csv").symlink_to("../real.csv")

    assert FolderStore(volumes / "data/in").read("rows.csv") == b"rows"
    assert [each.key for each in matching_files(Location(uri=f"file://{volumes}/data/in/*.csv")).files] == ["rows.csv"]


def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    store = FolderStore(tmp_path)

    for look in (store.read, store.local_path, lambda key: store.download(key, tmp_path / "copy")):
        with pytest.raises(Refused, match="is no regular file"):
            look("manifest.json")


@given(PIECES)
def test_no_form_of_an_address_that_is_let_through_goes_up(pieces: list[str]) -> None:
    address = "pvc://data/" + "".join(pieces)
    if leads_out(address):
        return
    while (plain := unquote(address)) != address:
        address = plain
    for folder in address.replace("\\", "/").split("/"):
        assert folder.rpartition(":")[2] != ".."  # git takes HOST:FOLDER too


@pytest.mark.parametrize(
    "address", ["s3://lake/a..b/*.csv", "pvc://data/...", "pvc://data/.hidden", "a%20b/..c", "s3://b/1..2"]
)
def test_two_points_that_are_part_of_a_name_lead_nowhere(address: str) -> None:
    assert not leads_out(address)
