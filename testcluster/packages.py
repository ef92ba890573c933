"""Programs that come from the system's packages: installed where that is possible, else named in one sentence."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testcluster.sentences import Lacking, report_duration, say


@dataclass(frozen=True)
class RequiredPackage:
    """A Debian package and what must be there of it: a program's name, or a file's possible places."""

    name: str
    program: str = ""
    files: tuple[str, ...] = ()

    def is_there(self) -> bool:
        """Whether the machine has it, from whatever package."""
        return bool(self.program and shutil.which(self.program, path=SEARCHED)) or any(
            Path(file).exists() for file in self.files
        )


SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
# Debian's place of the network plugins, and that of their makers.
NETWORK_PLUGINS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")


def ensure(packages: Sequence[RequiredPackage]) -> None:
    """Install what is missing, or raise with the sentence that names it."""
    missing = [package for package in packages if not package.is_there()]
    if not missing:
        return
    names = " ".join(package.name for package in missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Lacking(f"The tests need programs that are not installed; on Debian: sudo apt-get install {names}")
    say(f"installing {names}")
    with report_duration(f"installed {names}"):
        _install([package.name for package in missing])
    if left := [package.name for package in missing if not package.is_there()]:
        raise Lacking(f"The packages {' '.join(left)} were installed and their programs are not there: look into them.")


def _install(names: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *names]
    done = subprocess.run(install, env=environment, capture_output=True, text=True)
    if done.returncode:
        # The list of packages may be old, or not there at all.
        subprocess.run(["apt-get", "update", "--quiet"], env=environment, capture_output=True)
        done = subprocess.run(install, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`{' '.join(install)}` failed: {done.stderr.strip().splitlines()[-1:] or 'it said nothing'}")


def network_plugins() -> Path:
    """Return the folder of the network plugins."""
    return next(Path(each) for each in NETWORK_PLUGINS if (Path(each) / "bridge").exists())
