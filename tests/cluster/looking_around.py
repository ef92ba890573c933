"""Runs in a pod of an image and prints what it finds there, as JSON. Only the standard library and our own packages."""

import getpass
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pkgutil
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

PROGRAMS = ("as", "c++", "cc", "clang", "g++", "gcc", "ld", "make", "pip", "pip3", "uv")
MODULES = ("ensurepip", "pip", "wheel")
SITE = Path("/opt/penstock/lib/python3.11/site-packages")
SELDOM = ("kubernetes/aio/client/", "pygments/lexers/", "pygments/styles/")


def main() -> None:
    broken = import_all()
    counted = count_estimators()
    found = {
        "user": os.getuid(),
        "group": os.getgid(),
        "name": getpass.getuser(),
        "writable": list_writable(),
        "programs": [each for each in PROGRAMS if shutil.which(each)],
        "modules": [each for each in MODULES if importlib.util.find_spec(each)],
        "privileged": list_privileged(),
        "broken": broken,
        "estimators": counted,
        "uncompiled": list_uncompiled(),
        "distributions": distributions(),
        "packages": packages(),
    }
    sys.stdout.write(json.dumps(found))


def walk(*without: str) -> Iterator[tuple[Path, list[str]]]:
    """Every folder of the image and its files, without those of the kernel and these."""
    for root, folders, files in os.walk("/"):
        folders[:] = [each for each in folders if str(Path(root, each)) not in ("/proc", "/sys", "/dev", *without)]
        yield Path(root), files


def list_writable() -> list[str]:
    """Every folder that a file can be made in; folders that libraries made in the volume are part of it."""
    found = [folder for folder, _ in walk() if os.access(folder, os.W_OK)]
    return sorted(str(each) for each in found if Path("/tmp") not in each.parents)


def list_privileged() -> list[str]:
    """Every file that runs with the rights of its owner, whoever starts it."""
    paths = [folder / name for folder, files in walk() for name in files]
    return [str(each) for each in paths if each.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID) and each.is_file()]


def import_all() -> dict[str, str]:
    """Import every module of ours; return those that cannot be, with the reason."""
    broken = {}
    for package in ("penstock", "penstock_jobs"):
        if not importlib.util.find_spec(package):
            continue
        for module in pkgutil.walk_packages([str(SITE / package)], f"{package}.", onerror=lambda _: None):
            if module.name.endswith("__main__"):
                continue
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                broken[module.name] = str(error)
    return broken


def count_estimators() -> int:
    if not importlib.util.find_spec("sklearn"):
        return 0
    return len(importlib.import_module("sklearn.utils.discovery").all_estimators())


def list_uncompiled() -> list[str]:
    """The modules that were compiled just now, when they were imported: all of it would be lost with the container."""
    files = [getattr(each, "__file__", None) for each in list(sys.modules.values())]
    own = [Path(each) for each in files if each and each.endswith(".py") and each.startswith(str(SITE))]
    missing = [each for each in own if not Path(importlib.util.cache_from_source(str(each))).exists()]
    return [str(each) for each in missing if not any(part in str(each) for part in SELDOM)]


def distributions() -> list[str]:
    names = [(re.sub(r"[-_.]+", "-", each.name).lower(), each.version) for each in importlib.metadata.distributions()]
    return [f"pkg:pypi/{name}@{quote(version)}" for name, version in names]


def packages() -> list[str]:
    found = []
    files = (Path("/var/lib/dpkg/status"), *Path("/var/lib/dpkg/status.d").glob("*"))
    for stanza in "\n\n".join(each.read_text() for each in files).split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", stanza, flags=re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            version = quote(fields["Version"])
            found.append(f"pkg:deb/debian/{quote(fields['Package'])}@{version}?arch={fields['Architecture']}")
    return found


main()
