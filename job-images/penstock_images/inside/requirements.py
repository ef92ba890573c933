"""Print what an image installs, of what pyproject.toml says.

`python -m penstock_images.inside.requirements --extra jobs --also msgspec`
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def requirements(project: dict[str, Any], extras: Sequence[str], also: Sequence[str]) -> list[str]:
    """Return the requirements of these extras, with those of the command line that are named too, sorted.

    Args:
        project: the table `project` of pyproject.toml.
        extras: names of `optional-dependencies`.
        also: names of packages among `dependencies`; `*` is all of them.

    Raises:
        KeyError: the project has no such extra, or no such dependency.
    """
    base = {name(each): each for each in project["dependencies"]}
    found = {each for extra in extras for each in project["optional-dependencies"][extra]}
    found.update(base.values() if "*" in also else (base[each] for each in also))
    return sorted(found)


def name(requirement: str) -> str:
    """Return the package that a requirement names, as registries write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0]).lower()


def main() -> None:
    """Print the requirements, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra", action="append", default=[])
    parser.add_argument("--also", action="append", default=[])
    parser.add_argument("--project", type=Path, default=Path("pyproject.toml"))
    options = parser.parse_args()
    project = tomllib.loads(options.project.read_text())["project"]
    sys.stdout.write("\n".join(requirements(project, options.extra, options.also)) + "\n")


if __name__ == "__main__":
    main()
