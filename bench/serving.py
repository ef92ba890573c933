"""Single rows a second: `python bench/serving.py [--rounds 5] [--seconds 5] [--model LR RF]`.

Penstock's server against MLServer (its scikit-learn runtime, one process, which is its fastest setting here) with the
same scikit-learn model on the same data, the same request body (a matrix of one row and 30 features in the Open
Inference Protocol), the same client on the same machine, one server at a time, in turns. Penstock is also asked with
a named row, its own form, which MLServer does not have. Medians of the rounds; the goal is 4 times the requests with
a lower p99.

MLServer comes from `bench/requirements-mlserver.txt` into a virtual environment of its own, made on the first run in
`--work` (by default `.cache/bench-serving`). The client is wrk where it is installed, and otherwise one in this file.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from penstock_jobs.contract import document
from penstock_jobs.contract.manifest import FeatureSpec, Lineage, Origin
from penstock_jobs.contract.specification import Location, ServerSpec
from penstock_jobs.models.fitted import FittedModel
from penstock_jobs.models.inputs import model_frame
from penstock_jobs.models.saving import save_model
from penstock_jobs.serving.warming import rehearse
from penstock_jobs.storage import open_store

HERE = Path(__file__).parent
CONNECTIONS = (1, 32)

# MLServer reads joblib files, which are code; so it makes its own in its own environment, from the same data and seed.
FIT_FOR_MLSERVER = """
import sys, joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
data = load_breast_cancer()
kind, path = sys.argv[1:]
last = LogisticRegression(max_iter=1000) if kind == "LR" else RandomForestClassifier(100, random_state=0, n_jobs=1)
joblib.dump(make_pipeline(StandardScaler(), last).fit(data.data, data.target), path)
"""


@dataclass(frozen=True)
class RoundMeasure:
    """What one round found: requests a second, latencies in milliseconds, the server's own time a request in µs.

    The last counts processor time, so it says the same on a machine that has other things to do.
    """

    rate: float
    p50: float
    p99: float
    cost: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--model", nargs="+", choices=["LR", "RF"], default=["LR", "RF"])
    parser.add_argument("--work", type=Path, default=HERE.parent / ".cache" / "bench-serving")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    options.work.mkdir(parents=True, exist_ok=True)
    python = mlserver_environment(options.work)
    client = "wrk" if shutil.which("wrk") else "asyncio"
    print(f"client: {client}, {options.rounds} rounds of {options.seconds:g} s, medians")
    for kind in options.model:
        compare(kind, python, options)


def compare(kind: str, python: Path, options: argparse.Namespace) -> None:
    """Measure both servers with one model, and print the table."""
    specification = save_ours(kind, options.work)
    folder = save_theirs(kind, python, options.work)
    row, matrix = bodies()
    found: dict[str, dict[int, list[RoundMeasure]]] = {}
    memory: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        with run_ours(specification) as (process, url):
            for name, path, body in (
                ("Penstock, matrix", f"/v2/models/{kind}/infer", matrix),
                ("Penstock, named row", f"/v1/models/{kind}:predict", row),
            ):
                rounds = found.setdefault(name, {})
                for connections in CONNECTIONS:
                    rounds.setdefault(connections, []).append(
                        cost_of(process.pid, url + path, body, connections, options.seconds)
                    )
            memory.setdefault("Penstock", []).append(resident_memory(process.pid))
        with run_mlserver(python, folder) as (process, url):
            rounds = found.setdefault("MLServer, matrix", {})
            for connections in CONNECTIONS:
                path = f"{url}/v2/models/{kind}/infer"
                rounds.setdefault(connections, []).append(
                    cost_of(process.pid, path, matrix, connections, options.seconds)
                )
            memory.setdefault("MLServer", []).append(resident_memory(process.pid))
    report(kind, found, memory)


def report(kind: str, found: dict[str, dict[int, list[RoundMeasure]]], memory: dict[str, list[float]]) -> None:
    print(f"\n{kind}, 30 features, one row a request")
    print(f"{'':24}{'connections':>12}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'times MLServer':>16}")
    for name, rounds in found.items():
        for connections, measured in rounds.items():
            median = {
                part: statistics.median(getattr(one, part) for one in measured)
                for part in ("rate", "p50", "p99", "cost")
            }
            times = median["rate"] / statistics.median(one.rate for one in found["MLServer, matrix"][connections])
            print(
                f"{name:24}{connections:>12}{median['rate']:>12.0f}{median['p50']:>9.2f}{median['p99']:>9.2f}"
                f"{median['cost']:>9.0f}{times:>16.1f}"
            )
    for name, values in memory.items():
        print(f"{name}: {statistics.median(values):.0f} MiB resident after the load")


# --- models -----------------------------------------------------------------------------------------------------------


def estimator(kind: str) -> ClassifierMixin:
    return LogisticRegression(max_iter=1000) if kind == "LR" else RandomForestClassifier(100, random_state=0, n_jobs=1)


def save_ours(kind: str, work: Path) -> Path:
    data = load_breast_cancer(as_frame=True)
    features = tuple(FeatureSpec(name=str(name), type="Float") for name in data.data)
    pipeline = make_pipeline(StandardScaler(), estimator(kind)).fit(model_frame(data.data, features), data.target)
    shutil.rmtree(work / "models" / kind, ignore_errors=True)
    model = FittedModel(
        name=kind,
        estimator=pipeline,
        features=features,
        task="Classification",
        target="diagnosis",
        target_type="Integer",
        validation=data.data,
        origin=Origin(
            pipeline="bench",
            run_uid="bench",
            execution_name="bench",
            candidate=kind,
            algorithm=kind,
            estimator=type(pipeline[-1]).__name__,
            parameters={},
            seed=0,
        ),
        lineage=LINEAGE,
        classes=(0, 1),
        positive=1,
    )
    reference = save_model(open_store(Location(uri=(work / "models").absolute().as_uri())), model, rehearse)
    path = work / f"{kind}.json"
    path.write_bytes(document.encode(ServerSpec(location=Location(uri=reference.uri), name=kind, port=0)))
    return path


def save_theirs(kind: str, python: Path, work: Path) -> Path:
    folder = work / "mlserver" / kind
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([python, "-c", FIT_FOR_MLSERVER, kind, folder / "model.joblib"], check=True)
    settings = {
        "name": kind,
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"},
    }
    (folder / "model-settings.json").write_text(json.dumps(settings))
    return folder


def bodies() -> tuple[bytes, bytes]:
    data = load_breast_cancer(as_frame=True).data
    values = [float(value) for value in data.iloc[0]]
    names = [str(name) for name in data]
    tensor = {"name": "predict", "shape": [1, len(values)], "datatype": "FP64", "data": values}
    rows = {"instances": [dict(zip(names, values, strict=True))]}
    # MLServer answers classes unless it is asked for more; Penstock is asked for as much.
    request = {"inputs": [tensor], "outputs": [{"name": "predict"}]}
    return json.dumps(rows).encode(), json.dumps(request).encode()


LINEAGE = Lineage(
    storage="bench",
    strategy="Key",
    key=("id",),
    salt="bench",
    epoch=0,
    testing_share=0.0,
    generation=0,
    training_uri="bench",
    training_version=0,
    training_digest="bench",
    validation_uri="bench",
    validation_version=0,
    validation_digest="bench",
    testing_uri="bench",
    testing_version=0,
)


# --- servers ----------------------------------------------------------------------------------------------------------


def mlserver_environment(work: Path) -> Path:
    """Return the Python of MLServer's own environment, made when it is not there."""
    requirements = HERE / "requirements-mlserver.txt"
    folder = work / "venv-mlserver"
    python = folder / "bin" / "python"
    made = folder / "made-from.txt"
    if not made.exists() or made.read_bytes() != requirements.read_bytes():
        print("Installing MLServer into its own virtual environment …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        made.write_bytes(requirements.read_bytes())
    return python


@contextmanager
def run_ours(specification: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "penstock_jobs.serving", str(specification)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, line.split()[-1]
        finally:
            process.terminate()


@contextmanager
def run_mlserver(python: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    settings = {"http_port": 18080, "grpc_port": 18081, "metrics_port": 18082, "parallel_workers": 0, "debug": False}
    (folder / "settings.json").write_text(json.dumps(settings))
    command = [str(python.parent / "mlserver"), "start", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            wait_until_ready("http://127.0.0.1:18080", folder.name, process)
            yield process, "http://127.0.0.1:18080"
        finally:
            process.terminate()


def wait_until_ready(url: str, model: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/v2/models/{model}/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"MLServer did not become ready (exit code {process.poll()}).")


def cost_of(pid: int, url: str, body: bytes, connections: int, seconds: float) -> RoundMeasure:
    """Return a round with what it cost the server."""
    before = processor_seconds(pid)
    measured = measure(url, body, connections, seconds)
    spent = processor_seconds(pid) - before
    return replace(measured, cost=spent / (measured.rate * seconds) * 1e6)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_memory(pid: int) -> float:
    """Return the resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


# --- clients ----------------------------------------------------------------------------------------------------------


def measure(url: str, body: bytes, connections: int, seconds: float) -> RoundMeasure:
    """Ask again and again on so many connections, and refuse to count anything but 200."""
    answer = httpx.post(url, content=body, headers={"content-type": "application/json"})
    answer.raise_for_status()
    if shutil.which("wrk"):
        return measure_with_wrk(url, body, connections, seconds)
    return asyncio.run(measure_with_asyncio(url, body, connections, seconds))


def measure_with_wrk(url: str, body: bytes, connections: int, seconds: float) -> RoundMeasure:
    script = (
        f"wrk.method='POST'; wrk.body={lua_script(body)}; wrk.headers['Content-Type']='application/json'\n"
        "done=function(s,l,r) local e=s.errors; io.write(string.format('RESULT %d %d %f %f %d\\n', s.requests,"
        "s.duration, l:percentile(50), l:percentile(99), e.status+e.connect+e.read+e.write+e.timeout)) end\n"
    )
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"penstock-wrk-{os.getpid()}.lua"
    path.write_text(script)
    length = f"-d{max(1, round(seconds))}s"
    command = ["wrk", "-t1", f"-c{connections}", length, "--timeout", "30s", "-s", str(path), url]
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    finally:
        path.unlink()
    requests, duration, p50, p99, failed = next(
        line.split()[1:] for line in output.splitlines() if line.startswith("RESULT")
    )
    if int(failed):
        raise SystemExit(f"{failed} requests to {url} failed.")
    return RoundMeasure(int(requests) / (int(duration) / 1e6), float(p50) / 1e3, float(p99) / 1e3)


def lua_script(body: bytes) -> str:
    return "[==[" + body.decode() + "]==]"


async def measure_with_asyncio(url: str, body: bytes, connections: int, seconds: float) -> RoundMeasure:
    """Speak just enough HTTP/1.1: one request under way on each connection, as wrk does."""
    host, port, path = httpx.URL(url).host, httpx.URL(url).port, httpx.URL(url).raw_path.decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (started := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"A request to {url} failed: {answer[:60]!r}.")
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            latencies.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    p50, p99 = np.percentile(latencies, [50, 99]) * 1e3
    return RoundMeasure(len(latencies) / seconds, float(p50), float(p99))


if __name__ == "__main__":
    main()
