"""Where the cluster's files are.

Below `run` is what one start makes: it is removed with the cluster. Below `nodes` is what each container runtime keeps:
images that need not be imported again. Inside the cluster's namespaces `run` is also /run/penstock-test: short, because
the path of a socket has at most 107 characters.
"""

from pathlib import Path

from testcluster import cache

INSIDE = Path("/run/penstock-test")


def machine() -> Path:
    """Return the folder of all that belongs to the cluster."""
    return cache.folder("machine")


def run() -> Path:
    """Return the folder of what this start made."""
    return machine() / "run"


def runtime_root(node: str) -> Path:
    """Return the root of a node's container runtime."""
    return machine() / "nodes" / node


def kubeconfig() -> Path:
    """Return the administrator's kubeconfig. It is outside `run`, so that its path holds before and after."""
    return machine() / "kubeconfig"


def plan() -> Path:
    """Return the file with the programs to run. Its path is how the cluster's process is known."""
    return run() / "plan.json"


def progress() -> Path:
    """Return the file in which the supervisor says how far it is."""
    return run() / "progress"


def failure_logs() -> Path:
    """Return the folder with the logs of the last start that failed."""
    return machine() / "logs-of-the-last-failure"
