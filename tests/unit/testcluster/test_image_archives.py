"""Archives of single programs are what `docker save` writes, the same to the byte for the same content."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from testcluster.addons.archive import ImageArchive, ProgramImage, archive, fingerprint, write
from testcluster.bringing import name_for_pods


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(folder))
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program"
    file.write_bytes(b"\x7fELF and so on")
    return file


def an_image(program: Path, **changes: Any) -> ProgramImage:
    return ProgramImage(
        **{"name": "penstock-test/one", "programs": {"/one": program}, "entrypoint": ("/one",), **changes}
    )


def member(file: Path, name: str) -> bytes:
    with tarfile.open(file) as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read()


def opened(made: ImageArchive) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return the manifest, the configuration, and the one layer."""
    [manifest] = json.loads(member(made.file, "manifest.json"))
    [layer] = manifest["Layers"]
    return manifest, json.loads(member(made.file, manifest["Config"])), member(made.file, layer)


def test_the_program_is_in_the_one_layer_and_nobody_may_change_it(program: Path) -> None:
    _, _, layer = opened(archive(an_image(program)))
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        entry = tar.getmember("one")
        content = tar.extractfile(entry)
        assert content is not None
        assert content.read() == program.read_bytes()
    assert (entry.uid, entry.gid, entry.mode) == (0, 0, 0o755)


def test_it_starts_as_nobody_and_has_a_folder_to_write_in(program: Path) -> None:
    _, configuration, layer = opened(archive(an_image(program)))
    assert configuration["config"]["Entrypoint"] == ["/one"]
    assert configuration["config"]["User"] == "65532:65532"
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert tar.getmember("tmp").isdir()
        assert tar.getmember("tmp").mode == 0o1777


def test_what_names_the_parts_is_their_digest(program: Path) -> None:
    manifest, configuration, layer = opened(archive(an_image(program)))
    digest = hashlib.sha256(layer).hexdigest()
    assert manifest["Layers"] == [f"{digest}.tar"]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{digest}"]
    written = member(archive(an_image(program)).file, manifest["Config"])
    assert manifest["Config"] == f"{hashlib.sha256(written).hexdigest()}.json"


def test_the_reference_that_pods_ask_for_is_in_the_archive(program: Path) -> None:
    made = archive(an_image(program))
    assert opened(made)[0]["RepoTags"] == [made.reference]
    assert made.reference.startswith("penstock-test/one:")


@given(content=some.binary(max_size=5000), folders=some.sets(some.sampled_from(["tmp", "data", "a/b"])))
def test_the_same_content_always_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, folders: set[str]
) -> None:
    files = []
    for each in range(2):
        folder = tmp_path_factory.mktemp(f"copy-{each}")
        (folder / "program").write_bytes(content)
        write(an_image(folder / "program", folders=tuple(folders)), "one:1", folder / "archive")
        files.append((folder / "archive").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    "changes",
    [{"entrypoint": ("/one", "more")}, {"user": "0"}, {"folders": ()}, {"labels": {"a": "b"}}],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_is_changed_changes_the_reference(program: Path, changes: dict[str, Any]) -> None:
    assert fingerprint(an_image(program, **changes)) != fingerprint(an_image(program))


def test_another_program_is_another_reference(program: Path) -> None:
    before = fingerprint(an_image(program))
    program.write_bytes(b"another")
    assert fingerprint(an_image(program)) != before


def test_pods_ask_a_registry_for_it_where_one_is_named(program: Path) -> None:
    made = archive(an_image(program))
    assert name_for_pods(made, {}) == made.reference
    assert (
        name_for_pods(made, {"REGISTRY": "registry.example.org/team/"}) == f"registry.example.org/team/{made.reference}"
    )


def test_an_archive_is_written_once_and_leaves_nothing_beside_it(program: Path, cache: Path) -> None:
    first = archive(an_image(program))
    written = first.file.stat().st_mtime_ns
    assert archive(an_image(program)) == first
    assert first.file.stat().st_mtime_ns == written
    assert list((cache / "images").iterdir()) == [first.file]
