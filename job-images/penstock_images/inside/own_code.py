"""Lay our own packages out as pip would have: `python -m penstock_images.inside.own_code FOLDER PACKAGE…`.

Only the packages that are named are copied: an image has none of the code that it does not run.
"""

import argparse
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def lay_out(folder: Path, packages: Sequence[Path], project: dict[str, Any]) -> None:
    """Copy packages to a folder, with the metadata that tells their version.

    Args:
        folder: the folder on the path of Python.
        packages: folders of packages.
        project: the table `project` of pyproject.toml.
    """
    for package in packages:
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        _remove_empty_folders(folder / package.name)
    information = folder / f"{project['name']}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    information.joinpath("METADATA").write_text(metadata(project))
    information.joinpath("INSTALLER").write_text("penstock\n")


def _remove_empty_folders(package: Path) -> None:
    """Remove what a checkout has left of packages that are gone: Git has no such folders, and so they are no input."""
    for path in sorted(package.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def metadata(project: dict[str, Any]) -> str:
    """Return the core metadata (PEP 566, 639) of the project, as much as an image needs."""
    return (
        "Metadata-Version: 2.4\n"
        f"Name: {project['name']}\nVersion: {project['version']}\nSummary: {project['description']}\n"
        f"License-Expression: {project['license']}\nRequires-Python: {project['requires-python']}\n"
    )


def scripts(folder: Path, project: dict[str, Any]) -> None:
    """Write the project's commands to a folder, for the Python of the virtual environment of the images."""
    folder.mkdir(parents=True, exist_ok=True)
    for command, target in project["scripts"].items():
        module, function = target.split(":")
        path = folder / command
        path.write_text(
            f"#!/opt/penstock/bin/python\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
        )
        path.chmod(0o755)


def main() -> None:
    """Lay out the packages that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("packages", type=Path, nargs="+")
    parser.add_argument("--project", type=Path, default=Path("pyproject.toml"))
    parser.add_argument("--scripts", type=Path, help="write the project's commands to this folder")
    options = parser.parse_args()
    project = tomllib.loads(options.project.read_text())["project"]
    lay_out(options.folder, options.packages, project)
    if options.scripts:
        scripts(options.scripts, project)


if __name__ == "__main__":
    main()
