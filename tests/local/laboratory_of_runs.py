"""What tests of whole runs share: a small table, its manifest, the command line as a process, a look into a home."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from manifest_changes import set_field

PENSTOCK = Path(sys.executable).with_name("penstock")
ROWS = 240


def table(rows: int = ROWS, seed: int = 7) -> str:
    """Return a CSV of two noisy measures and the class that they tell."""
    chance = random.Random(seed)
    lines = ["id,left,right,colour,label"]
    for number in range(rows):
        left, right = chance.gauss(0, 1), chance.gauss(0, 1)
        label = "yes" if left + right + chance.gauss(0, 0.5) > 0 else "no"
        lines.append(f"{number},{left:.6f},{right:.6f},{'red' if right > 0 else 'blue'},{label}")
    return "\n".join(lines) + "\n"


def manifest(**changes: Any) -> dict[str, Any]:
    """Return a Pipeline of four candidates on that table; each change is a dotted path with `__`."""
    pipeline: dict[str, Any] = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": "small"},
        "spec": {
            "dataset": {
                "inputs": [{"name": "rows", "uri": "rows.csv"}],
                "target": {"column": "label", "positive": "yes"},
                "key": ["id"],
                "split": {"testing": "30%"},
            },
            "training": {
                "validation": {"holdout": "30%"},
                "scoring": {"name": "roc_auc"},
                "algorithms": [
                    {
                        "name": "linear",
                        "estimator": "sklearn.linear_model.LogisticRegression",
                        "parameters": [{"name": "C", "values": ["0.1", "1.0", "10.0"]}],
                    },
                    {
                        "name": "bayes",
                        "estimator": "sklearn.naive_bayes.GaussianNB",
                        "parameters": [],
                    },
                ],
                "keep": 2,
            },
            "testing": {"scoring": [{"name": "roc_auc"}, {"name": "f1"}], "minimumPoints": 20},
            "deployment": {"selection": {"scoring": "roc_auc", "minimum": "0.6", "mustImprove": {}}},
            "jobs": [{"name": "training", "processes": 1}],
        },
    }
    for path, value in changes.items():
        set_field(pipeline["spec"], path.split("__"), value)
    return pipeline


@dataclass(frozen=True)
class ProjectFolder:
    """A folder with a manifest and its table, and a home beside them."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def storage(self) -> Path:
        return self.home / "storage" / "small"

    @property
    def manifest(self) -> Path:
        return self.folder / "small.yaml"

    def write(self, content: str | None = None, **changes: Any) -> None:
        """Write the table and the manifest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rows.csv").write_text(table() if content is None else content)
        self.manifest.write_text(yaml.safe_dump(manifest(**changes)))

    def command(self, *words: str) -> list[str]:
        return [str(PENSTOCK), *words, "--home", str(self.home)]

    def run_penstock(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, env=environment_with(environment), timeout=240
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run_penstock("run", str(self.manifest), *words, **environment)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """Begin a run, in a process group of its own."""
        return subprocess.Popen(
            self.command("run", str(self.manifest), *words),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
            env=environment_with(environment),
        )

    def objects(self, *words: str) -> list[dict[str, Any]]:
        answer = self.run_penstock(*words, "-o", "json")
        assert answer.returncode == 0, answer.stderr
        found: list[dict[str, Any]] = json.loads(answer.stdout)["items"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        return self.objects("runs")

    def models(self) -> list[dict[str, Any]]:
        return self.objects("models")

    def pipeline(self) -> dict[str, Any]:
        return self.objects("pipelines")[0]

    def snapshot_state(self) -> dict[str, Any]:
        """Return all that a failed run must leave as it was: rows of tables, Models with their files, who is served."""
        if not (self.home / "resources").exists():
            return {"tables": {}, "models": [], "files": {}, "served": None}
        status = self.pipeline().get("status", {}) if self.objects("pipelines") else {}
        tables = {each["table"]: each for each in _tables(self.objects("datasets"))}
        models = self.storage / "models"
        return {
            "tables": tables,
            "models": sorted(model["metadata"]["name"] for model in self.models()),
            "files": {str(path.relative_to(models)): path.read_bytes() for path in models.rglob("*") if path.is_file()},
            "served": status.get("servedModel"),
            "history": status.get("servedHistory"),
        }


def _tables(datasets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"table": table["name"], "rows": table["rows"], "digest": table["digest"]}
        for made in datasets
        for table in made["tables"]
    ]


def environment_with(changes: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    return inherited | {"OMP_NUM_THREADS": "1"} | changes


def sentences(error: str) -> list[str]:
    """Return what `penstock:` said at the end."""
    return [line.removeprefix("penstock: ") for line in error.splitlines() if line.startswith("penstock: ")]


def kill_everything(process: subprocess.Popen[bytes]) -> None:
    """Kill the runner and its job with SIGKILL, the runner first, as a machine that loses its power would."""
    job = job_of(process.pid)
    process.kill()
    if job is not None:
        kill_group(job)
    process.wait()


def kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def wait_until(process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    """Return as soon as it holds, or the process has ended, without taking the processor from who is waited for."""
    while not holds():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
            return


def job_of(runner: int) -> int | None:
    """Return the process that the runner has started, once it leads a group of its own; None where there is none."""
    try:
        children = Path(f"/proc/{runner}/task/{runner}/children").read_text().split()
        return next((child for child in map(int, children) if os.getpgid(child) == child), None)
    except OSError:
        return None
