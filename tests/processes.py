"""Processes that a test waits for, and did not start itself."""

import os
import select


def ends(process: int) -> bool:
    """Return whether the process, which may be no child of ours, is gone or goes within ten seconds."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor, "rb"):
        return bool(select.select([descriptor], [], [], 10)[0])
