"""The manifests that the makers of an addon ship in its Go module."""

import subprocess
from pathlib import Path

import yaml

from testcluster import kubectl, programs
from testcluster.kubectl import Object
from testcluster.sentences import Lacking


def folder(name: str, module: str, *parts: str) -> Path:
    """Return a folder of the module that tests/tools/NAME requires."""
    return programs.module_folder(name, module).joinpath(*parts)


def read_files(source: Path) -> list[Object]:
    """Return the objects in all YAML files of a folder, in the order of their names."""
    return [each for file in sorted(source.glob("*.yaml")) for each in _objects(file.read_text())]


def kustomize(source: Path) -> list[Object]:
    """Return what kustomize makes of a folder."""
    done = subprocess.run([kubectl.program(), "kustomize", source], capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`kubectl kustomize {source}` failed: {done.stderr.strip()}")
    return _objects(done.stdout)


def _objects(text: str) -> list[Object]:
    return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]
