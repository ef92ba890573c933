"""Make a node's container runtime as if no pod had ever run on it, but with its images.

    python -m testcluster.machine.clean NODE

It runs inside the cluster's namespaces, before the node starts: what was killed half-way does not trouble the next.
"""

import subprocess
import sys
import time
from pathlib import Path

from testcluster.machine.configurations import CONFIGURATIONS
from testcluster.machine.folders import INSIDE
from testcluster.machine.plan import NODES

SECONDS = 60


def main(name: str) -> int:
    """Start the runtime without its pods, remove their containers, add the pause image, stop it."""
    node = next(node for node in NODES if node.name == name)
    configuration = CONFIGURATIONS / f"containerd-{node.name}-images.toml"
    process = subprocess.Popen(["containerd", f"--config={configuration}"])
    control = Control(INSIDE / "nodes" / node.name / "containerd.sock")
    try:
        control.wait(process)
        if containers := control("containers", "list", "--quiet").split():
            control("containers", "remove", *containers)
        pause = (CONFIGURATIONS / "pause-image").read_text().split()
        if pause[0] not in control("images", "list", "--quiet").split():
            control("images", "import", pause[1])
    finally:
        process.terminate()
        process.wait()
    return 0


class Control:
    """The runtime's own command line, bound to one socket and the namespace that Kubernetes uses."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def __call__(self, *arguments: str) -> str:
        """Run a command; return what it printed."""
        return subprocess.run(self.command(*arguments), check=True, stdout=subprocess.PIPE, text=True).stdout

    def command(self, *arguments: str) -> list[str]:
        """Return a command line."""
        return ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the runtime answers."""
        deadline = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if subprocess.run(self.command("version"), capture_output=True).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"containerd does not answer at {self.socket}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
