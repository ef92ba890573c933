"""The two sides: runs by the operator, and bare Jobs by the floor's script; each in a namespace of its own."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cluster.kubernetes_api import KubernetesApi
from cluster.namespaces import Namespaces
from cluster.operator_process import OperatorProcess, run_operator
from runs_recorder import Recorder
from runs_trivial import STEPS, RealPods, SimulatedPods, bare_job, pipeline, run_of

FLOOR = Path(__file__).parent / "runs_floor.py"
QUIET = 3.0  # seconds without a change, after which nothing more is to come
LONGEST = 900.0
_THREADS = 8


@dataclass(frozen=True)
class ChainMeasure:
    """What so many chains of three steps came to.

    Attributes:
        chains: how many at once.
        seconds: from the first request to the end of the last.
        gaps: the seconds from each exit of a container, as the API server tells it, to the next Job.
        writes: writes and deletes in etcd until all was still, Events apart, by kind.
        processor: seconds of processor of what drives it.
        memory: its MiB in the end.
    """

    chains: int
    seconds: float
    gaps: list[float]
    writes: dict[str, int]
    processor: float
    memory: float

    @property
    def writes_each(self) -> float:
        """The writes of one chain."""
        return sum(self.writes.values()) / self.chains

    @property
    def chains_per_minute(self) -> float:
        """How many chains end in a minute."""
        return 60 * self.chains / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.seconds:7.2f} s, {self.chains_per_minute:6.1f} a minute; "
            f"exit to next Job {1000 * median(self.gaps):6.0f} ms; "
            f"{self.writes_each:5.1f} writes each; {self.processor:5.1f} s of processor, {self.memory:4.0f} MiB"
        )


@dataclass(frozen=True)
class BenchSite:
    """A cluster, where the pods are to be, and a folder for what is written."""

    api: KubernetesApi
    kubeconfig: Path
    pods: RealPods | SimulatedPods
    folder: Path

    @contextmanager
    def namespace(self, side: str) -> Iterator[str]:
        """Give a namespace of its own."""
        with Namespaces(self.api).one(side) as name:
            yield name

    def floor(self, chains: int) -> ChainMeasure:
        """Chain bare Jobs, each made when the one before it is Complete."""
        with self.namespace("floor") as namespace, Recorder(self.api, namespace) as recorder:
            job = self.folder / "job.json"
            job.write_text(json.dumps(bare_job(self.pods)))
            command = [sys.executable, str(FLOOR), "--kubeconfig", str(self.kubeconfig), "--namespace", namespace]
            command += ["--job", str(job), "--chains", str(chains), "--steps", ",".join(STEPS)]
            paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=paths) as script:
                assert script.stdin is not None
                assert script.stdout is not None
                assert script.stdout.readline() == "ready\n"
                spent, began = processor_seconds(script.pid), time.monotonic()
                script.stdin.write("\n")
                script.stdin.flush()
                recorder.wait("an end of the chains", lambda: _ends(recorder) == chains, LONGEST)
                ended = max(at for (_, step), at in recorder.complete.items() if step == STEPS[-1])
                used = processor_seconds(script.pid) - spent, resident_memory(script.pid)
            recorder.settle(QUIET)
            return ChainMeasure(chains, ended - began, recorder.gaps(STEPS), dict(recorder.writes), *used)

    def operator(self, chains: int) -> ChainMeasure:
        """Let an operator that has just begun make as many runs, each of a Pipeline of its own."""
        with self.namespace("runs") as namespace, self.running(namespace) as operator:
            return self.runs(operator, namespace, [f"bench-{number}" for number in range(chains)])

    @contextmanager
    def running(self, namespace: str, name: str = "operator") -> Iterator[OperatorProcess]:
        """Run an operator for the namespace, with the settings of the chart."""
        settings = {"logs": {"level": "INFO"}}
        with run_operator(self.kubeconfig, namespace, self.folder, settings=settings, name=name) as operator:
            operator.wait_until_ready()
            yield operator

    def runs(self, operator: OperatorProcess, namespace: str, names: list[str]) -> ChainMeasure:
        """Make a run of a Pipeline of each of these names, all at once; return when all have ended well."""
        self.create([pipeline(name, namespace, self.pods) for name in names])
        wait_until_idle(operator)
        with Recorder(self.api, namespace) as recorder:
            spent, began = processor_seconds(operator.process.pid), time.monotonic()
            self.create([run_of(name, namespace) for name in names])
            recorder.wait("an end of the runs", lambda: len(recorder.finished) == len(names), LONGEST)
            ended = max(recorder.finished.values())
            used = processor_seconds(operator.process.pid) - spent, operator.memory()
            recorder.settle(QUIET)
            return ChainMeasure(len(names), ended - began, recorder.gaps(STEPS), dict(recorder.writes), *used)

    def create(self, objects: list[dict[str, object]]) -> None:
        """Create them, several at once."""
        with ThreadPoolExecutor(_THREADS) as threads:
            for done in [threads.submit(self.api.create, each) for each in objects]:
                done.result()


@dataclass
class SideMeasures:
    """Measurements of both sides, in turns."""

    ours: list[ChainMeasure] = field(default_factory=list)
    floor: list[ChainMeasure] = field(default_factory=list)

    def add(self, site: BenchSite, chains: int) -> None:
        """Measure both sides once."""
        self.floor.append(site.floor(chains))
        print(f"  bare Jobs  {self.floor[-1]}", flush=True)
        self.ours.append(site.operator(chains))
        print(f"  Penstock   {self.ours[-1]}", flush=True)

    def more_writes(self) -> float:
        """Return how many writes a run costs above the floor."""
        ours, floor = (median([each.writes_each for each in side]) for side in (self.ours, self.floor))
        return ours - floor

    def rate(self) -> float:
        """Return how many times the floor's rate ours is: the median of the ratios of the rounds."""
        return median([theirs.seconds / ours.seconds for ours, theirs in zip(self.ours, self.floor, strict=True)])


def wait_until_idle(operator: OperatorProcess) -> None:
    """Wait until the operator has nothing to do: nothing waits for a look, and it uses no processor."""
    for _ in range(120):
        before = processor_seconds(operator.process.pid)
        time.sleep(1.0)
        _, metrics = operator.ask("/metrics")
        if processor_seconds(operator.process.pid) - before < 0.05 and "penstock_queue_depth 0.0" in metrics:
            return


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def processor_seconds(pid: int) -> float:
    """Return the seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_memory(pid: int) -> float:
    """Return what a process holds in memory, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _ends(recorder: Recorder) -> int:
    return sum(step == STEPS[-1] for _, step in recorder.complete)
