"""The programs that the tests build from pinned Go modules: one folder of tests/tools/ is one set of them.

A set whose go.mod has `tool` lines is those tools. One without is a program of our own, in the folder itself.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from testcluster import cache
from testcluster.sentences import Lacking, report_duration, say

TOOLS = Path(__file__).parents[1] / "tests" / "tools"
# Static, without the builder's paths, and without symbols for a debugger: half the size.
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
LINKER_FLAGS = "-s -w"


@dataclass(frozen=True)
class Stamp:
    """A variable into which a program's makers link its version, and the module that has this version."""

    variable: str
    module: str


STAMPS = {
    "kubernetes": Stamp("k8s.io/component-base/version.gitVersion", "k8s.io/kubernetes"),
    "helm": Stamp("helm.sh/helm/v3/internal/version.version", "helm.sh/helm/v3"),
}


def build(name: str) -> Path:
    """Return the folder with the programs of tests/tools/NAME, built once for each content of that folder."""
    source = TOOLS / name
    built = cache.folder("programs") / f"{name}-{fingerprint(source)}"
    if built.exists():
        return built
    with cache.lock(f"build-{name}", f"the programs of tests/tools/{name}"):
        if not built.exists():
            say(f"building the programs of tests/tools/{name} (once; minutes where nothing is cached)")
            with report_duration(f"built tests/tools/{name}"):
                _build(source, built)
    return built


def fingerprint(source: Path) -> str:
    """Return a hash of all that decides what is built of this folder."""
    digest = hashlib.sha256(json.dumps([*BUILD_FLAGS, *linker_flags(source)]).encode())
    for file in sorted(source.rglob("*")):
        if file.is_file() and (file.suffix == ".go" or file.name in ("go.mod", "go.sum")):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(source)} {content}\n".encode())
    return digest.hexdigest()[:12]


def linker_flags(source: Path) -> list[str]:
    """Return the linker's flags: no symbols, and the version where the program does not know it by itself."""
    stamp = STAMPS.get(source.name)
    version = [f"-X {stamp.variable}={version_in_go_mod(source / 'go.mod', stamp.module)}"] if stamp else []
    return [" ".join([LINKER_FLAGS, *version])]


def version_in_go_mod(go_mod: Path, module: str) -> str:
    """Return the version of a module that a go.mod requires."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not found:
        raise Lacking(f"{go_mod} does not require {module}; add it with `go get -tool` in that folder.")
    return found.group(1)


@lru_cache
def module_folder(name: str, module: str) -> Path:
    """Return where the Go client unpacked a module that tests/tools/NAME requires: its YAML is there."""
    asked = _go(["mod", "download", "-json", module], TOOLS / name)
    return Path(json.loads(asked)["Dir"])


def _build(source: Path, built: Path) -> None:
    part = built.with_name(f"{built.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    has_tools = re.search(r"^tool\b", (source / "go.mod").read_text(), re.MULTILINE)
    try:
        flags = [*BUILD_FLAGS, "-ldflags", *linker_flags(source)]
        _go(["build", *flags, "-o", f"{part}/", "tool" if has_tools else "."], source)
        _remove_old(source.name, built)
        part.rename(built)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _remove_old(name: str, built: Path) -> None:
    """Drop what killed builds left. Whole builds of other versions stay: another checkout may use them."""
    for left in built.parent.glob(f"{name}-*.part"):
        if not left.name.startswith(f"{built.name}.{os.getpid()}."):
            shutil.rmtree(left, ignore_errors=True)


def _go(arguments: list[str], folder: Path) -> str:
    go = shutil.which("go")
    if go is None:
        raise Lacking("Go is not installed, which builds the programs of the test cluster: install Go 1.21 or later.")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run([go, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Lacking(f"`go {' '.join(arguments)}` failed in {folder}: {why(done.stderr)}")
    return done.stdout


def why(output: str) -> str:
    """Return what a person needs of a compiler's output: its last lines."""
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return " / ".join(lines[-5:]) or "it said nothing"
