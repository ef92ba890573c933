"""The command `penstock`, as a person runs it: in a process of its own, with a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("penstock")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class CommandResult:
    """How the command ended."""

    code: int
    output: str
    errors: str

    def json(self) -> Any:
        assert self.code == 0, self.errors
        return json.loads(self.output)


def run_penstock(
    *arguments: str | Path, home: Path, environment: Mapping[str, str] | None = None, timeout: float = 300
) -> CommandResult:
    """Run the command to its end."""
    own = {"PENSTOCK_HOME": str(home), "OMP_NUM_THREADS": "1", "NO_COLOR": "1", **(environment or {})}
    done = subprocess.run(
        [PROGRAM, *arguments], env={**os.environ, **own}, cwd=ROOT, capture_output=True, text=True, timeout=timeout
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def step(run: Any, name: str) -> Any:
    """Return what the run's status says of one of its steps, which must have succeeded."""
    [found] = [each for each in run["status"]["steps"] if each["name"] == name]
    assert found["state"] == "Succeeded", found
    return found[name]
