"""Waiting for what has no watch: ask again, a little later each time, until a deadline."""

import time
from collections.abc import Iterator
from itertools import count

from testcluster.sentences import Lacking

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0


def attempts(what: str, seconds: float) -> Iterator[int]:
    """Yield the number of the attempt; after `seconds` raise a sentence that names what was waited for."""
    deadline = time.monotonic() + seconds
    for number in count():
        yield number
        if time.monotonic() > deadline:
            raise Lacking(f"Waited {seconds:.0f} s for {what}, in vain.")
        time.sleep(min(FIRST_PAUSE * 1.5**number, LONGEST_PAUSE))
