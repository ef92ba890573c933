"""The operator as a process of its own, as its image runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from cluster.kubernetes_api import DEADLINE

REPOSITORY = Path(__file__).parents[2]
PATHS = os.pathsep.join(str(REPOSITORY / each) for each in ("operator", "job-images", "tests"))


@dataclass
class OperatorProcess:
    """A running operator; what it logs is in `log`."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def kill(self) -> None:
        """End it at once, at whatever line it is."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def kill_after(self, seconds: float) -> None:
        """Kill it when it has lived for so long more; it must not end before that by itself."""
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            raise AssertionError(f"The operator ended by itself, with {code}:\n{self.log.read_text()[-5000:]}")

    def stop(self) -> int:
        """Tell it to end, as a kubelet does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def ask(self, path: str) -> tuple[int, str]:
        """Ask its own HTTP server."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except URLError as error:
            return getattr(error, "code", 0), str(error)

    def wait_until_ready(self, seconds: float = DEADLINE) -> None:
        """Wait until it has listed all objects."""
        deadline = time.monotonic() + seconds
        while self.ask("/readyz")[0] != 200:
            assert self.process.poll() is None, f"The operator ended:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"The operator is not ready:\n{self.log.read_text()}"
            time.sleep(0.05)

    def memory(self) -> float:
        """Return what it holds in memory, in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def run_operator(
    kubeconfig: Path,
    namespace: str,
    folder: Path,
    *,
    module: str = "penstock.act",
    settings: Mapping[str, object] | None = None,
    name: str = "operator",
    probed: str = "port",
) -> Iterator[OperatorProcess]:
    """Start an operator that watches that namespace; kill it in the end if it still runs.

    `probed` is the setting with the port of its probes.
    """
    port = free_port()
    said = {"namespaces": [namespace], probed: port, "logs": {"level": "DEBUG"}} | dict(settings or {})
    file, log = folder / f"{name}.yaml", folder / f"{name}.log"
    file.write_text(yaml.safe_dump(said))
    command = [sys.executable, "-m", module, "--settings", str(file), "--kubeconfig", str(kubeconfig)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stderr=out, stdout=out, env={**os.environ, "PYTHONPATH": PATHS})
    operator = OperatorProcess(process, log, port)
    try:
        yield operator
    finally:
        if process.poll() is None:
            operator.kill()


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
