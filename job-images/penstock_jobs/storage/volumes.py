"""Files of a volume claim are in that claim, wherever links lead, and are files: neither pipes nor devices.

Whoever can write to a volume can lay a link in it. A pod that followed it would read, with the rights of its own
Pipeline, the Secrets and the other claims that it mounts beside it.
"""

import os
import stat
from pathlib import Path

from penstock_jobs.contract import addresses
from penstock_jobs.contract.errors import Refused


def check_in_volume(path: Path) -> Path:
    """Return the path itself, or refuse it where it is in a volume claim by its text and elsewhere by its links."""
    volume = volume_of(path)
    if volume is None:
        return path
    there = Path(os.path.realpath(path))
    if not there.is_relative_to(os.path.realpath(volume)):
        raise Refused(f"{path} leads out of the volume {volume}, by a link or a ..; name the file where it is.")
    return path


def check_regular(path: Path) -> Path:
    """Return the path itself, or refuse it where something is there that is no regular file: it might never end."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return path  # whoever opens it says what is wrong
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise Refused(f"{path} is no regular file (a pipe, a socket or a device); put a file there.")
    return path


def volume_of(path: Path) -> Path | None:
    """Return the folder of the volume claim that a path is in by its text; None outside of pods, and of claims."""
    root = Path(addresses.VOLUMES)
    if not path.is_relative_to(root) or path == root:
        return None
    return root / path.relative_to(root).parts[0]
