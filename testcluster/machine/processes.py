"""Finding the cluster's process among those of the machine, and ending it.

It is found by its command line, which names this cache folder: no file of process numbers that could be old, or missing
because its writer was killed.
"""

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

from testcluster.sentences import Lacking

MODULE = "testcluster.machine.supervisor"
SECONDS = 60


@dataclass(frozen=True)
class Supervisor:
    """A supervisor process as the machine sees it, and the plan that it runs."""

    pid: int
    plan: Path
    instance: int
    is_outer: bool  # the process that waits outside of the namespaces for the one inside


def supervisors(proc: Path = Path("/proc")) -> list[Supervisor]:
    """Return every process of the machine that is a cluster's supervisor, of any cache folder."""
    found = []
    for folder in proc.iterdir():
        if folder.name.isdigit():
            arguments = _arguments(folder)
            if MODULE in arguments[:-2]:
                plan, instance = arguments[arguments.index(MODULE) + 1 :]
                is_outer = Path(arguments[0]).name == "unshare"
                found.append(Supervisor(int(folder.name), Path(plan), int(instance), is_outer))
    return found


def find_inside(plan: Path) -> int | None:
    """Return the process that is the first inside the namespaces of this plan's cluster."""
    found = [each.pid for each in supervisors() if each.plan == plan and not each.is_outer]
    return found[0] if found else None


def end(plan: Path) -> None:
    """End the cluster's process, and with it all others: return once the kernel has buried them."""
    for process in sorted((each for each in supervisors() if each.plan == plan), key=lambda each: each.is_outer):
        _kill(process)


def _kill(process: Supervisor) -> None:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # The handle holds whoever has the number now: only if that is still the same program is it ended. One that is
        # on its way out has no command line any more, and its mounts and network are still there.
        if process in supervisors():
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        elif _arguments(Path("/proc", str(process.pid))) != [""]:
            return
        # A handle becomes readable when its process is gone; the first of a namespace goes last.
        if not select.select([handle], [], [], SECONDS)[0]:
            raise Lacking(f"Process {process.pid} of the test cluster was killed and does not end: a disk may hang.")
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _arguments(folder: Path) -> list[str]:
    try:
        return (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []
