"""How the Python of a pod is kept to itself, and its hashes the same each time.

Pods start it isolated (`-I`): no variable of Python's, no module of the folder that it is started in and none of the
user's own packages has a say. That takes PYTHONHASHSEED away too, for which there is no option, and people's operations
may go through a set of texts in the order of their hashes. So an isolated Python starts itself again, with Python's
variables as they are here and none of those that were there.
"""

import os
import signal
import sys

_VARIABLES = {
    "PYTHONHASHSEED": "0",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def start_again(module: str) -> None:
    """Start this process again as `module`, with the same words, where its Python is isolated; else do nothing."""
    if not sys.flags.isolated:
        return
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # A SIGTERM that comes meanwhile waits until somebody listens again, or is ready to end by it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], kept | _VARIABLES)  # noqa: S606


def hear_sigterm() -> None:
    """Let a SIGTERM through that came before anybody listened."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
