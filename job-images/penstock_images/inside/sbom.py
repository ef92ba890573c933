"""List what an image has, as CycloneDX 1.6 in JSON: Python's packages and Debian's, with versions and licences.

`python -m penstock_images.inside.sbom --title penstock/jobs SITE_PACKAGES… > sbom.cdx.json`. The same
image gives the same bytes: there is no time and no random serial number in it.
"""

import argparse
import importlib.metadata
import json
import platform
import re
import sys
import tomllib
from collections.abc import Iterable
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import quote

Component = dict[str, Any]


def document(title: str, version: str, components: Iterable[Component]) -> dict[str, Any]:
    """Return the bill of materials of an image.

    Args:
        title: the image's name.
        version: the image's version.
        components: what it has, in any order.
    """
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": title, "name": title, "version": version}},
        "components": sorted(components, key=lambda each: str(each["bom-ref"])),
    }


def python_component(name: str, version: str, expression: str, licence: str, classifiers: list[str]) -> Component:
    """Return one Python package, by what its metadata says."""
    canonical = re.sub(r"[-_.]+", "-", name).lower()
    return _component(canonical, version, f"pkg:pypi/{canonical}@{quote(version)}") | _licences(
        expression, licence, classifiers
    )


def debian_components(status: str) -> list[Component]:
    """Return the installed packages of a dpkg status file. Their licences are in /usr/share/doc/*/copyright."""
    found = []
    for stanza in status.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", stanza, flags=re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
            address = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
            found.append(_component(name, version, address))
    return found


def python_components(sites: Iterable[Path]) -> list[Component]:
    """Return the Python packages that are in these folders."""
    found = []
    for distribution in importlib.metadata.distributions(path=[str(each) for each in sites]):
        metadata: Message = distribution.metadata  # type: ignore[assignment]  # its protocol lacks `get`
        found.append(
            python_component(
                metadata["Name"],
                distribution.version,
                metadata.get("License-Expression") or "",
                metadata.get("License") or "",
                metadata.get_all("Classifier") or [],
            )
        )
    return found


def _component(name: str, version: str, address: str) -> Component:
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def _licences(expression: str, licence: str, classifiers: list[str]) -> Component:
    if expression:
        return {"licenses": [{"expression": expression}]}
    named = [each.rsplit(" :: ", 1)[1] for each in classifiers if each.startswith("License :: ")]
    first = licence.strip().splitlines()[0].strip() if licence.strip() else ""
    names = [each for each in named if each != "OSI Approved"] or [first] * bool(first)
    return {"licenses": [{"license": {"name": each}} for each in names]} if names else {}


def main() -> None:
    """Print the bill of materials of the folders and of the status file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", type=Path, nargs="*")
    parser.add_argument("--title", required=True)
    parser.add_argument("--project", type=Path, default=Path("pyproject.toml"))
    parser.add_argument("--status", type=Path, default=Path("/var/lib/dpkg/status"))
    options = parser.parse_args()
    components = python_components(options.sites)
    if options.status.exists():
        components += debian_components(options.status.read_text())
    if not any(each["name"] == "python3.11" for each in components):  # the interpreter was built, not installed
        components.append(
            _component("python", platform.python_version(), f"pkg:generic/python@{platform.python_version()}")
        )
    version = tomllib.loads(options.project.read_text())["project"]["version"]
    json.dump(document(options.title, version, components), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
