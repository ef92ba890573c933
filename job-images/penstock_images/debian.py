"""What Debian's package database says: which packages are there, what each needs, which files it brought.

Pure: text in, values out. The format is that of `/var/lib/dpkg/status` (deb-control(5)).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DebianPackage:
    """One installed package.

    Attributes:
        name: as `dpkg-query` gives it, without the architecture.
        version: Debian's.
        architecture: `amd64`, `all` and the like.
        depends: its `Depends` and `Pre-Depends`: of each the alternatives, as names.
        provides: the virtual packages that it stands for.
        stanza: its text in the status file, without a line end.
    """

    name: str
    version: str
    architecture: str
    depends: tuple[tuple[str, ...], ...]
    provides: frozenset[str]
    stanza: str


def read_packages(status: str) -> dict[str, DebianPackage]:
    """Return the installed packages of a dpkg status file, by name."""
    packages = (_package(stanza) for stanza in status.strip().split("\n\n") if stanza.strip())
    return {each.name: each for each in packages if each}


def dependency_closure(
    packages: Mapping[str, DebianPackage], wanted: Iterable[str], without: frozenset[str]
) -> dict[str, DebianPackage]:
    """Return the wanted packages with all that they need, in order of their names.

    Args:
        packages: what is installed.
        wanted: where to begin.
        without: packages that are needed only while packages are installed, and are left out with what they need.

    Raises:
        KeyError: a wanted package, or one that it needs, is not installed.
    """
    found: dict[str, DebianPackage] = {}
    waiting: list[tuple[str, ...]] = [(name,) for name in wanted]
    while waiting:
        alternatives = waiting.pop()
        if without.intersection(alternatives):
            continue
        package = _choose_alternative(packages, alternatives)
        if package.name not in found and package.name not in without:
            found[package.name] = package
            waiting.extend(package.depends)
    return dict(sorted(found.items()))


def status_of(packages: Iterable[DebianPackage]) -> str:
    """Return the status file of an image that has only these packages."""
    return "".join(f"{each.stanza}\n\n" for each in packages)


def _package(stanza: str) -> DebianPackage | None:
    fields = dict(re.findall(r"^([A-Za-z-]+): *(.*(?:\n[ \t].*)*)", stanza, flags=re.MULTILINE))
    if not fields.get("Status", "").endswith(" installed"):
        return None
    needs = ", ".join(filter(None, [fields.get("Pre-Depends"), fields.get("Depends")]))
    return DebianPackage(
        name=fields["Package"],
        version=fields["Version"],
        architecture=fields["Architecture"],
        depends=tuple(tuple(map(_name, group.split("|"))) for group in needs.split(",") if group.strip()),
        provides=frozenset(_name(each) for each in fields.get("Provides", "").split(",") if each.strip()),
        stanza=stanza,
    )


def _name(relation: str) -> str:
    return re.split(r"[\s(:\[<]", relation.strip(), maxsplit=1)[0]


def _choose_alternative(packages: Mapping[str, DebianPackage], alternatives: tuple[str, ...]) -> DebianPackage:
    for name in alternatives:
        if name in packages:
            return packages[name]
    for package in packages.values():
        if package.provides.intersection(alternatives):
            return package
    raise KeyError(f"{' | '.join(alternatives)} is needed and not installed")
