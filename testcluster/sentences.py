"""What is said to the person who runs the tests."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Lacking(Exception):
    """Something that the cluster of the tests needs is missing or in the way. The text is one sentence for a person."""


def say(text: str) -> None:
    """Print a line of progress, apart from what the command prints itself."""
    sys.stderr.write(f"[cluster] {text}\n")
    sys.stderr.flush()


@contextmanager
def report_duration(what: str) -> Iterator[None]:
    """Say how many seconds a part took, once it is done."""
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")
