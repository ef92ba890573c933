"""Copy installed programs, with the libraries that another file system lacks: `python3 programs.py BASE TO PROGRAM…`.

Debian's git brings perl and a hundred megabytes along; a fetch needs three of its files and what they are linked to.
Whose files they are is told as distroless images tell it, in `/var/lib/dpkg/status.d`, with each package's licence.
"""

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

STATUS = Path("var/lib/dpkg/status.d")


def copy(programs: Iterable[Path], base: Path, to: Path) -> None:
    """Copy programs and their libraries into a folder, as they lie in this file system.

    Args:
        programs: absolute paths.
        base: the root of the file system that is added to; a library that it has is not copied.
        to: the folder that is laid over it.

    Raises:
        FileNotFoundError: there is no such program here.
    """
    packages = set()
    for path in sorted({each for program in programs for each in (program, *libraries(program))}):
        place = path.parent.resolve() / path.name
        if Path(f"{base}{place}").exists():
            continue
        target = Path(f"{to}{place}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, target)
        target.chmod(0o755)  # ssh-agent is Debian's to start with the rights of a group
        packages.add(owner(place.resolve()))
    for package in sorted(packages):
        tell(package, to)


def libraries(program: Path) -> list[Path]:
    """Return the libraries that the loader takes for a program."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(each) for each in re.findall(r"=> (/\S+)", listed)]


def owner(path: Path) -> str:
    """Return the package that brought a file; some name it as it lay before /lib became a part of /usr."""
    for name in (str(path), str(path).removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    raise FileNotFoundError(f"{path} is of no package.")


def tell(package: str, to: Path) -> None:
    """Write what a package is, and its licence, where programs that look for both expect them."""
    said = subprocess.run(["dpkg-query", "--status", package], capture_output=True, text=True, check=True).stdout
    kept = re.findall(r"^(?:Package|Status|Maintainer|Architecture|Source|Version): .*\n", said, flags=re.MULTILINE)
    (to / STATUS).mkdir(parents=True, exist_ok=True)
    (to / STATUS / package).write_text("".join(kept))
    licence = Path("/usr/share/doc", package, "copyright")
    Path(f"{to}{licence}").parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(licence, f"{to}{licence}")


def main() -> None:
    """Copy what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("programs", type=Path, nargs="+")
    options = parser.parse_args()
    copy(options.programs, options.base, options.to)


if __name__ == "__main__":
    main()
