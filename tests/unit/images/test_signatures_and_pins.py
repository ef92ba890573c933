"""What is pushed can be signed, with where it came from, and pinned: always by its digest, which no tag can move."""

import json
import os
from pathlib import Path

import msgspec
import pytest
import yaml

from penstock.act import chart
from penstock_images import __main__ as images
from penstock_images import signing
from penstock_images.building import BuiltImage, PushedImage
from penstock_images.catalogue import IMAGES
from penstock_images.engine import ContainerEngine
from penstock_images.lacking import MissingForBuild
from penstock_images.pins import write_pins

DIGEST = f"sha256:{'0f' * 32}"
PUSHED = f"registry.example/team/penstock/jobs@{DIGEST}"
COSIGN = """#!/bin/sh
echo "$*" >> "$SAID"
"""
ENGINE = f"""#!/bin/sh
case "$*" in
*inspect*) echo '["other/penstock/jobs@sha256:1", "{PUSHED}"]';;
*--digestfile*) echo {DIGEST} > "$3";;
esac
"""


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of programs, before those of the system."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    return folder


@pytest.fixture
def built(tmp_path: Path) -> BuiltImage:
    return BuiltImage(IMAGES["jobs"], "penstock/jobs:0.1.0-54f6949aca57", tmp_path / "jobs.tar", None)


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_each_engine_says_under_which_digest_it_pushed(path: Path, name: str) -> None:
    program(path, name, ENGINE)

    assert ContainerEngine(name, (name,)).push("registry.example/team/penstock/jobs:0.1.0") == DIGEST


def test_an_image_is_signed_by_its_digest_with_its_provenance_and_its_bill_of_materials(
    path: Path, built: BuiltImage, tmp_path: Path
) -> None:
    program(path, "cosign", COSIGN)
    file = signing.sign(built, PUSHED, "python:3.11-slim", "cosign.key")

    assert (tmp_path / "said").read_text().splitlines() == [
        f"sign --yes --key cosign.key {PUSHED}",
        f"attest --yes --key cosign.key --type slsaprovenance1 --predicate {file} {PUSHED}",
        f"attest --yes --key cosign.key --type cyclonedx --predicate {built.bill_of_materials} {PUSHED}",
    ]
    said = json.loads(file.read_text())["buildDefinition"]
    assert said["externalParameters"]["image"] == "jobs"


@pytest.mark.parametrize(("commit", "named"), [("4" * 40, True), (f"{'4' * 40}-dirty", False), ("unknown", False)])
def test_the_provenance_names_a_commit_only_where_the_image_was_made_of_it(
    built: BuiltImage, monkeypatch: pytest.MonkeyPatch, commit: str, named: bool
) -> None:
    monkeypatch.setattr(signing, "revision", lambda image: commit)
    said = signing.provenance(built, "python:3.11-slim")["buildDefinition"]

    source = [{"name": "penstock", "digest": {"gitCommit": commit}}] if named else []
    assert said["resolvedDependencies"] == [*source, {"uri": "python:3.11-slim"}]
    assert said["externalParameters"]["revision"] == commit


def test_without_a_key_the_signer_is_whom_cosign_finds(path: Path, built: BuiltImage, tmp_path: Path) -> None:
    program(path, "cosign", COSIGN)
    signing.sign(built, PUSHED, "python:3.11-slim", signing.KEYLESS)

    assert (tmp_path / "said").read_text().splitlines()[0] == f"sign --yes {PUSHED}"


def test_what_could_not_be_signed_is_one_sentence(path: Path, built: BuiltImage) -> None:
    program(path, "cosign", "#!/bin/sh\necho 'no such key' >&2\nexit 1\n")

    with pytest.raises(MissingForBuild, match=f"cosign could not sign {PUSHED}: no such key"):
        signing.sign(built, PUSHED, "python:3.11-slim", "cosign.key")


def test_a_missing_cosign_is_said_before_anything_is_built(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert images.main(["jobs", "--registry", "registry.example", "--sign", "cosign.key"]) == 2
    assert "Images are signed by cosign, which is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--sign", "--pins"])
def test_what_is_signed_or_pinned_is_in_a_registry(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert images.main(["jobs", option, "x"]) == 2
    assert "name it with --registry" in capsys.readouterr().err


def test_a_digest_that_the_engine_does_not_say_is_not_made_up() -> None:
    with pytest.raises(MissingForBuild, match="does not say under which digest"):
        PushedImage("jobs", "registry.example/penstock/jobs", ("registry.example/penstock/jobs:1",), "").pinned  # noqa: B018


def test_pins_are_values_of_the_chart(tmp_path: Path) -> None:
    write_pins(tmp_path / "pins.yaml", "registry.example/team/", dict.fromkeys(IMAGES, DIGEST))
    values = msgspec.convert(yaml.safe_load((tmp_path / "pins.yaml").read_text()), chart.Values, strict=True)

    assert values.registry == "registry.example/team"
    assert (values.images.jobs.name, values.images.jobs.digest) == ("penstock/jobs", DIGEST)
