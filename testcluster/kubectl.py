"""The cluster through kubectl: what a person would type, and its own sentence when it fails."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from testcluster import programs
from testcluster.patience import attempts
from testcluster.sentences import Lacking

Object = dict[str, Any]
FIELD_MANAGER = "penstock-tests"
# Older ones, as some distributions have, know neither `events` nor `wait --for=jsonpath` for what is only present.
OLDEST_MINOR = 31


@lru_cache
def program() -> Path:
    """Return the kubectl of the machine if it is recent, else the one that is built with the cluster's own programs."""
    found = shutil.which("kubectl")
    if found:
        said = subprocess.run([found, "version", "--client", "--output=json"], capture_output=True, text=True)
        if said.returncode == 0 and minor_version(said.stdout) >= OLDEST_MINOR:
            return Path(found)
    return programs.build("kubernetes") / "kubectl"


def minor_version(document: str) -> int:
    """Return the minor version that `kubectl version` tells; distributions write things like `28+`."""
    minor = re.match(r"\d+", json.loads(document)["clientVersion"]["minor"])
    return int(minor.group()) if minor else 0


class KubectlFailed(Lacking):
    """The command failed. The text is what kubectl said."""


@dataclass(frozen=True)
class Kubectl:
    """The command, bound to one cluster."""

    kubeconfig: Path

    def __call__(self, *arguments: str, given: str | None = None, timeout: float = 180) -> str:
        """Run kubectl; return what it printed."""
        command = [str(program()), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise KubectlFailed(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def apply(self, objects: Sequence[Object], *, only_ask: bool = False) -> None:
        """Apply objects on the server's side, in their order; or only ask whether they would be accepted."""
        if objects:
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
            options = ["--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}"]
            self("apply", *options, *(["--dry-run=server"] if only_ask else []), "--filename=-", given=text)

    def create(self, objects: Sequence[Object]) -> None:
        """Create objects; one that is there already is refused."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self("create", "--filename=-", given=text)

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get` finds, as JSON; None where there is nothing."""
        printed = self("get", *arguments, "--output=json", "--ignore-not-found")
        return json.loads(printed) if printed.strip() else None

    def items(self, *arguments: str) -> list[Object]:
        """Return all that `kubectl get` finds of a kind: an empty list where it prints nothing."""
        found = self.get(*arguments)
        return list(found["items"]) if found else []

    def raw(self, path: str) -> Any:
        """Return what the API server answers at a path."""
        return json.loads(self("get", "--raw", path))

    def wait(self, condition: str, *what: str, seconds: int = 120) -> None:
        """Wait until a condition holds."""
        self("wait", f"--for={condition}", f"--timeout={seconds}s", *what, timeout=seconds + 30)

    @contextmanager
    def port_forward(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """Give a port of the loopback interface that leads into the cluster, for as long as the context lasts."""
        command = [str(program()), "--kubeconfig", str(self.kubeconfig), "--namespace", namespace]
        # Into a file: kubectl says a line for each connection, and would stop at a pipe that nobody empties.
        with TemporaryFile() as said:
            process = subprocess.Popen(
                [*command, "port-forward", "--address=127.0.0.1", target, f":{port}"], stdout=said, stderr=said
            )
            try:
                yield _read_port(process, said, target)
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _read_port(process: "subprocess.Popen[bytes]", said: IO[bytes], target: str) -> int:
    """Read the port from kubectl's first line: `Forwarding from 127.0.0.1:PORT -> …`."""
    for _ in attempts(f"a port that leads to {target}", 30):
        ended = process.poll() is not None
        text = os.pread(said.fileno(), 10_000, 0).decode(errors="replace")
        if found := re.search(r"Forwarding from [^ ]*:(\d+) ->", text):
            return int(found.group(1))
        if ended:
            raise KubectlFailed(f"kubectl cannot forward a port to {target}: {text.strip()}")
    raise AssertionError("attempts() ends by raising")
