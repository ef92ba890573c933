"""Names of environment variables that nobody may set for a job: they decide what code it runs, or what it is asked.

The loader and Python read code from places that they name, git and ssh run commands that they hold, and PATH says
which programs those are. `PENSTOCK_` and the index of a pod are how a job is told what is its own; but the limits of a
server are set by whoever deploys it.
"""

import re

FORBIDDEN_NAME = (
    "^((LD|DYLD|GIT|SSH|PENSTOCK)_.*|PYTHON.*|PATH|BASH_ENV|ENV|GCONV_PATH|GLIBC_TUNABLES|OPENSSL_CONF|OPENSSL_ENGINES|"
    "OPENSSL_MODULES|JOB_COMPLETION_INDEX)$"
)
SERVER_LIMITS = "PENSTOCK_SERVER_"
FORBIDDEN_SENTENCE = "Nobody may set this variable, which decides what code a job runs or what it is asked; remove it."


def is_forbidden(name: str) -> bool:
    """Return whether nobody may set the variable of that name."""
    return re.search(FORBIDDEN_NAME, name) is not None and not name.startswith(SERVER_LIMITS)
