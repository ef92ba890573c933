"""A set of programs is built once for each content of its folder, and what is lacking is said in a sentence."""

from pathlib import Path

import pytest

from testcluster import packages, programs
from testcluster.packages import RequiredPackage
from testcluster.sentences import Lacking


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "go.mod").write_text("module any\n\nrequire (\n\texample.org/one v1.2.3 // indirect\n)\n")
    (tmp_path / "go.sum").write_text("any\n")
    return tmp_path


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
def test_another_content_is_another_build(source: Path, name: str) -> None:
    before = programs.fingerprint(source)
    with (source / name).open("a") as file:
        file.write("// more\n")
    assert programs.fingerprint(source) != before


def test_what_is_no_source_makes_no_other_build(source: Path) -> None:
    before = programs.fingerprint(source)
    (source / "README.md").write_text("any")
    assert programs.fingerprint(source) == before


def test_the_version_is_read_where_it_is_pinned(source: Path) -> None:
    assert programs.version_in_go_mod(source / "go.mod", "example.org/one") == "v1.2.3"


def test_a_module_that_is_not_pinned_is_named(source: Path) -> None:
    with pytest.raises(Lacking, match=r"go\.mod does not require example\.org/other; add it with `go get -tool`"):
        programs.version_in_go_mod(source / "go.mod", "example.org/other")


@pytest.mark.parametrize("folder", sorted(programs.TOOLS.glob("*/")), ids=lambda folder: folder.name)
def test_every_set_names_its_module_after_its_folder_and_pins_what_it_builds(folder: Path) -> None:
    assert (folder / "go.mod").read_text().startswith(f"module penstock.dev/tests/tools/{folder.name}\n")


def test_kubernetes_knows_its_own_version() -> None:
    (flags,) = programs.linker_flags(programs.TOOLS / "kubernetes")
    version = programs.version_in_go_mod(programs.TOOLS / "kubernetes" / "go.mod", "k8s.io/kubernetes")
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in flags


def test_a_compilers_last_lines_say_why() -> None:
    assert programs.why("one\n\ntwo\nthree\nfour\nfive\nsix\n") == "two / three / four / five / six"
    assert programs.why("\n") == "it said nothing"


def test_a_machine_without_go_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Lacking, match=r"Go is not installed.*install Go 1.21 or later"):
        programs.build("pause")


@pytest.mark.go
def test_a_build_that_was_killed_leaves_nothing_that_looks_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_CACHE", str(tmp_path))
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    left = tmp_path / "programs" / "pause-000000000000.1.part"
    left.mkdir(parents=True)
    assert (programs.build("pause") / "pause").is_file()
    assert not left.exists()


def test_missing_packages_are_named_where_they_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    there, missing = RequiredPackage("coreutils", "true"), RequiredPackage("no-such-package", "no-such-program")
    packages.ensure([there])
    with pytest.raises(Lacking, match=r"sudo apt-get install no-such-package$"):
        packages.ensure([there, missing])
