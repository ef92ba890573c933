"""The end of a job's process from outside: at once, whatever library is in the middle of what.

What a job had stored stays; what it was at is not half there, since everything is written whole or not at all.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable

from penstock_jobs.contract import errors
from penstock_jobs.isolation import hear_sigterm

_LAST_WORDS = 8.0  # seconds; a pod has 30 from the signal to its end
_before: list[Callable[[], None]] = []


def end_at_once(code: int) -> None:
    """End this process; child processes end with their parent's pipe."""
    # In a thread: whoever was interrupted here, or is stuck, may hold what these want, and the end does not wait.
    last = threading.Thread(target=_run_last_acts, name="the end", daemon=True)
    last.start()
    last.join(_LAST_WORDS)
    os._exit(code)


def _run_last_acts() -> None:
    for each in _before:
        each()
    sys.stderr.flush()


def run_before_end(do: Callable[[], None]) -> None:
    """Have this done, within a few seconds, before the process ends at once; it may be asked for by several threads."""
    _before.append(do)


def end_on_sigterm() -> None:
    """End this process with 143 when it is told to.

    Python's own handlers wait until the main thread comes back from C, which in a query or a fit takes longer than a
    drained pod is given. The byte that the interpreter's own handler writes comes at once, and a thread waits for it.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # A child that is forked must not speak for its parent.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    signal.signal(signal.SIGTERM, lambda _number, _frame: end_at_once(errors.TERMINATED))

    def wait() -> None:
        while signal.SIGTERM not in os.read(reader, 64):
            pass
        end_at_once(errors.TERMINATED)

    threading.Thread(target=wait, name="SIGTERM", daemon=True).start()
    hear_sigterm()


def end_with_stdin() -> None:
    """End this process when its standard input closes: its parent is gone."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end_at_once(errors.TERMINATED)

    threading.Thread(target=wait, name="standard input", daemon=True).start()
