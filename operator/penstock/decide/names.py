"""Names of objects that are functions of what they name, cut so that the names of their children still fit.

A name that is cut ends in a hash of the whole, so that two long names that begin alike stay two.
"""

import hashlib
import re
from collections.abc import Container

LONGEST = 52  # what Kubernetes leaves of a name, once the children's endings are added
_HASH = 8
_NOT_ALLOWED = re.compile(r"[^a-z0-9-]+")


def run_name(pipeline: str, execution: str, taken: Container[str]) -> str:
    """Return the resource name of that run of the Pipeline."""
    plain = _NOT_ALLOWED.sub("-", f"{pipeline}-{execution}".lower()).strip("-")
    if len(plain) <= LONGEST and plain not in taken:
        return plain
    digest = hashlib.sha256(f"{pipeline}/{execution}".encode()).hexdigest()[:_HASH]
    return f"{plain[: LONGEST - _HASH - 1].rstrip('-')}-{digest}"
