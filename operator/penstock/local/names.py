"""The names of runs: for people an execution name, with an index where it is taken; for the home a resource name."""

import hashlib
import re
from collections.abc import Container

LONGEST = 52  # what Kubernetes leaves of a name, once the children's endings are added
_NOT_ALLOWED = re.compile(r"[^a-z0-9-]+")


def indexed(wish: str, index: int) -> str:
    """Return the execution name of the n-th run that wished for this one: `test`, `test_2`, `test_3`."""
    return wish if index == 1 else f"{wish}_{index}"


def first_free(wish: str, taken: Container[str]) -> tuple[str, int]:
    """Return the first execution name of the wish that is not taken, and its index."""
    index = 1
    while indexed(wish, index) in taken:
        index += 1
    return indexed(wish, index), index


def run_name(pipeline: str, execution: str, taken: Container[str]) -> str:
    """Return the resource name of that run of the Pipeline."""
    plain = _NOT_ALLOWED.sub("-", f"{pipeline}-{execution}".lower()).strip("-")
    if len(plain) <= LONGEST and plain not in taken:
        return plain
    digest = hashlib.sha256(f"{pipeline}/{execution}".encode()).hexdigest()[:8]
    return f"{plain[: LONGEST - 9].rstrip('-')}-{digest}"
