"""The folder that holds what a laptop knows: resources, runs at work, locks, and storage by default.

<home>/resources/<kind>/<name>.json   the resources, one file each, as an API server would hold them
<home>/runs/<uid>/                    a run's own objects, what its jobs were asked, their logs
<home>/locks/                         locks of the operating system: whoever dies leaves none behind
<home>/sources/<repository>/<commit>/ one's own operations, as git has them; `<repository>` is a hash of its address
<home>/storage/<pipeline>/            tables, Models and runs
<home>/local.yaml                     what Secrets, endpoints and volumes are on this machine
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from penstock_jobs.contract.errors import Refused, Unavailable

VARIABLE = "PENSTOCK_HOME"


@dataclass(frozen=True)
class Home:
    """A folder for state. Nothing is made in it before something is written."""

    root: Path

    @property
    def resources(self) -> Path:
        """Return the folder of the resources."""
        return self.root / "resources"

    @property
    def mapping(self) -> Path:
        """Return the file that says what Secrets, endpoints and volumes are on this machine."""
        return self.root / "local.yaml"

    def run(self, uid: str) -> Path:
        """Return the folder of a run's own objects, and the files of its pods."""
        return self.root / "runs" / uid

    def run_lock(self, uid: str) -> Path:
        """Return the lock that whoever works on a run holds."""
        return self.lock(f"run-{uid}")

    def jobs_lock(self, uid: str) -> Path:
        """Return the lock that the jobs of a run inherit: as long as it is held, a process of it is left."""
        return self.lock(f"jobs-{uid}")

    def lock(self, name: str) -> Path:
        """Return the file of that lock."""
        return self.root / "locks" / f"{name}.lock"

    def storage(self, pipeline: str) -> Path:
        """Return the folder where a Pipeline's files go when its manifest does not say."""
        return self.root / "storage" / pipeline


def find_home(option: Path | None, environment: Mapping[str, str]) -> Home:
    """Return the home: the option, else `PENSTOCK_HOME`, else where the platform keeps a user's data."""
    chosen = option or environment.get(VARIABLE) or platformdirs.user_data_dir("penstock", appauthor=False)
    root = expand(Path(chosen), f"The home {chosen}").absolute()
    try:
        is_file = root.exists() and not root.is_dir()
    except OSError as error:
        raise Refused(
            f"The home {root} cannot be used: {error.strerror}; name another folder with --home or {VARIABLE}."
        ) from error
    if is_file:
        raise Refused(f"The home {root} is a file; name a folder with --home or {VARIABLE}.")
    return Home(root)


def expand(path: Path, named: str) -> Path:
    """Return the path with `~` and `~user` at its beginning replaced; `named` begins the sentence where nobody is."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise Refused(f"{named} begins with ~, and this machine knows no such home; write the whole path.") from error


def make_folder(path: Path) -> None:
    """Make the folder and those above it, or say in a sentence why it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"The folder {path} cannot be made: {error.strerror}.") from error


def write_atomically(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Replace the file by this content, flushed to disk: a reader, or a crash, sees the old or the new, whole."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if flush:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):  # of a disk that cannot be written, which the sentence above says already
            temporary.unlink(missing_ok=True)
