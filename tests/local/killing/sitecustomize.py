"""Kills the interpreter that imports it, with SIGKILL, just before its n-th change to the file system.

The tests put this folder on PYTHONPATH. `KILL_ROLE` says which interpreters (`runner` or `job`), `KILL_BEFORE` before
which change. What Python is about to do is told by its own audit events, so that a run ends at the same line each time.
"""

import os
import signal
import sys

_CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove"}


def _role() -> str | None:
    words = " ".join(sys.orig_argv)
    if "-m penstock_jobs " in words:
        return "job"
    return "runner" if "/penstock run " in words else None


def _install(role: str, limit: int) -> None:
    process = os.getpid()
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in _CHANGES or (event == "open" and _writes(arguments)):
            seen += 1
            if seen >= limit and os.getpid() == process:
                os.kill(process, signal.SIGKILL)

    if role == _role():
        sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


if "KILL_BEFORE" in os.environ:
    _install(os.environ["KILL_ROLE"], int(os.environ["KILL_BEFORE"]))
