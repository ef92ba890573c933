"""Kills the interpreter that imports it, with SIGKILL, just before its n-th change to the file system.

The tests put this folder on PYTHONPATH. `KILL_ROLE` says which interpreters (`runner` or `job`), `KILL_BEFORE` before
which change. With `KILL_LATER`, a folder, each try of a job goes `KILL_FURTHER` changes further than the one before.
What Python is about to do is told by its own audit events, so that a run ends at the same line each time.
"""

import os
import signal
import sys
from pathlib import Path

_CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove"}


def _role() -> str | None:
    words = " ".join(sys.orig_argv)
    if "-m penstock_jobs " in words:
        return "job"
    return "runner" if "/penstock run " in words or "/penstock runs delete " in words else None


def _install(role: str, limit: int) -> None:
    process = os.getpid()
    seen = 0
    dying = False
    kept = _kept() if role == _role() == "job" and "KILL_LATER" in os.environ else None
    if kept is not None and kept.exists():
        limit = int(kept.read_text())

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen, dying
        if dying:
            return
        if event in _CHANGES or (event == "open" and _writes(arguments)):
            seen += 1
            if seen >= limit and os.getpid() == process:
                dying = True
                if kept is not None:
                    kept.write_text(str(limit + int(os.environ["KILL_FURTHER"])))
                os.kill(process, signal.SIGKILL)

    if role == _role():
        sys.addaudithook(hook)


def _kept() -> Path:
    """Return the file that says how far the next try of this job goes."""
    specification = next(Path(word) for word in sys.orig_argv if word.endswith(".json"))
    return Path(os.environ["KILL_LATER"], f"{specification.stem}.limit")


def _writes(arguments: tuple[object, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


if "KILL_BEFORE" in os.environ:
    _install(os.environ["KILL_ROLE"], int(os.environ["KILL_BEFORE"]))
