"""What the build does to packages: the parts that nobody uses go, what stays is as it was, and the lists say so."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock_images.inside import elf, finish, own_code, requirements, sbom, trim

PROJECT: dict[str, Any] = {
    "name": "penstock",
    "version": "0.1.0",
    "description": "A pipe",
    "license": "Apache-2.0",
    "requires-python": ">=3.11",
    "scripts": {"penstock": "penstock.cli:main"},
    "dependencies": ["click>=8.2", "msgspec>=0.20"],
    "optional-dependencies": {"jobs": ["duckdb>=2", "boto3>=1.40"], "serving": ["boto3>=1.40", "uvloop>=0.22"]},
}


def touch(folder: Path, *paths: str) -> None:
    for each in paths:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).touch()


def test_an_image_installs_its_extras_and_of_the_command_line_only_what_is_named() -> None:
    assert requirements.requirements(PROJECT, ["jobs", "serving"], ["msgspec"]) == [
        *("boto3>=1.40", "duckdb>=2", "msgspec>=0.20", "uvloop>=0.22")
    ]
    assert requirements.requirements(PROJECT, [], ["*"]) == ["click>=8.2", "msgspec>=0.20"]


def test_tests_headers_and_services_that_nobody_calls_go_and_the_rest_stays(tmp_path: Path) -> None:
    gone = ["scipy/stats/tests/test_stats.py", "pandas/core/frame.pyi", "torch/include/torch.h", "numpy/_core/x.c"]
    services = [
        "botocore/data/ec2/2016/service.json",
        "botocore/data/s3/2006/service.json",
        "botocore/data/endpoints.json",
    ]
    stays = ["scipy/stats/_stats.py", "numpy/testing/__init__.py", "sklearn/utils/_testing.py", *services[1:]]
    touch(tmp_path, *gone, *services, *stays)
    trim.trim(tmp_path)
    left = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()}
    assert left == set(stays)


def test_of_the_commands_of_packages_only_python_stays(tmp_path: Path) -> None:
    touch(tmp_path, "bin/python", "bin/python3", "bin/f2py", "bin/activate", "share/man/man1/f2py.1")
    trim.remove_programs(tmp_path)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["bin", "python", "python3"]


def test_the_list_of_a_package_names_only_files_that_are_there_and_no_digest_of_a_changed_one(tmp_path: Path) -> None:
    touch(tmp_path, "a.py", "b.so")
    record = "a.py,sha256=x,1\nb.so,sha256=y,2\ntests/c.py,sha256=z,3\n"
    assert trim.correct_record(record, tmp_path, {tmp_path / "b.so"}) == "a.py,sha256=x,1\nb.so,,\n"


@pytest.mark.parametrize(("place", "taken"), [(0x1000, True), (0x1200, False)])
def test_a_library_whose_segments_do_not_lie_on_pages_is_not_taken_for_a_good_one(place: int, taken: bool) -> None:
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, place, 0x401000, 0, 16, 16, 0x1000)
    assert elf.is_loadable(identity + header + segment) is taken


def test_a_library_of_this_machine_is_loadable_and_other_files_are_not() -> None:
    library = next(
        each for each in Path("/proc/self/maps").read_text().split() if each.endswith(".so") or ".so." in each
    )
    assert elf.is_loadable(Path(library).read_bytes())
    assert not elf.is_loadable(b"#!/bin/sh\n")


def test_modules_are_compiled_ahead_and_all_files_have_one_time(tmp_path: Path) -> None:
    touch(tmp_path, "package/__init__.py", "pygments/lexers/c.py")
    (tmp_path / "package/template.py").write_text("{{ this is no Python }}")
    finish.finish(tmp_path, epoch=315532800)
    assert (tmp_path / "package/__pycache__/__init__.cpython-311.pyc").exists()
    assert not (tmp_path / "pygments/lexers/__pycache__").exists()
    assert {each.lstat().st_mtime for each in (tmp_path, *tmp_path.rglob("*"))} == {315532800}


def test_our_own_layer_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    package = tmp_path / "source" / "own"
    touch(package, "__init__.py", "__pycache__/left.pyc")
    (package / "sets.py").write_text("NAMES = frozenset({'a', 'b', 'c', 'd'})\ndef f(x): return x in {'p', 'q', 'r'}\n")
    layer = tmp_path / "layer"
    made = []
    for _ in range(2):
        own_code.lay_out(layer, [package], PROJECT)
        _finished_by_a_process_of_its_own(layer)
        files = [each for each in sorted(layer.rglob("*")) if each.is_file()]
        made.append([(str(each), each.read_bytes(), each.stat().st_mtime) for each in files])
        trim.remove(layer)
    assert made[0] == made[1]
    assert not any("left.pyc" in path for path, _, _ in made[0])


def test_folders_that_git_does_not_know_of_are_in_no_layer(tmp_path: Path) -> None:
    package = tmp_path / "source" / "own"
    touch(package, "__init__.py", "gone/before/__pycache__/left.pyc")

    own_code.lay_out(tmp_path / "layer", [package], PROJECT)

    assert [each.name for each in (tmp_path / "layer" / "own").rglob("*")] == ["__init__.py"]


def _finished_by_a_process_of_its_own(layer: Path) -> None:
    folders = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "315532800", "PYTHONPATH": folders}
    subprocess.run([sys.executable, "-m", "penstock_images.inside.finish", layer], env=environment, check=True)


def test_the_commands_of_the_project_are_programs(tmp_path: Path) -> None:
    own_code.scripts(tmp_path, PROJECT)
    program = tmp_path / "penstock"
    assert os.access(program, os.X_OK)
    assert "from penstock.cli import main" in program.read_text()


def test_the_bill_of_materials_lists_python_and_debian_with_versions_and_licences() -> None:
    components = [
        sbom.python_component("Ruff_X", "1.0", "MIT", "", []),
        sbom.python_component("old", "2.0", "", "BSD 3-Clause\nand its text", []),
        sbom.python_component("older", "3.0", "", "", ["License :: OSI Approved :: Apache Software License"]),
        *sbom.debian_components(
            "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\n\n"
            "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
        ),
    ]
    bill = sbom.document("penstock/jobs", "0.1.0", components)
    assert [(each["purl"], each.get("licenses")) for each in bill["components"]] == [
        ("pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64", None),
        ("pkg:pypi/old@2.0", [{"license": {"name": "BSD 3-Clause"}}]),
        ("pkg:pypi/older@3.0", [{"license": {"name": "Apache Software License"}}]),
        ("pkg:pypi/ruff-x@1.0", [{"expression": "MIT"}]),
    ]
    assert json.loads(json.dumps(bill))["metadata"]["component"]["name"] == "penstock/jobs"
