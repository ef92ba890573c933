"""The operator against bare Jobs, on the test cluster: `python bench/runs.py one many crowded [--lifted]`.

`one`: a run of three steps of trivial containers, one after the other on real nodes. `many`: so many at once on
simulated nodes. `crowded`: what the operator holds in memory at rest and for each finished run that is kept, and what a
run costs beside thousands of others. The floor is bare Jobs that a small script chains (`runs_floor.py`); both sides
take turns, and ratios are those of one round. `--lifted` brings up a cluster of its own beside, whose controller
manager may ask as often as it likes, and takes it down again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).parents[1]
sys.path[1:1] = [str(ROOT / each) for each in (".", "tests", "operator", "job-images")]

from cluster.custom_resources import install  # noqa: E402
from cluster.kubernetes_api import connect  # noqa: E402
from cluster.loading import load_image  # noqa: E402
from runs_crowd import measure_crowd  # noqa: E402
from runs_sides import BenchSite, ChainMeasure, SideMeasures, median  # noqa: E402
from runs_trivial import RealPods, SimulatedPods  # noqa: E402
from testcluster import cache, choice  # noqa: E402
from testcluster.addons import addon, kwok  # noqa: E402
from testcluster.cluster import Cluster  # noqa: E402
from testcluster.kubectl import Kubectl  # noqa: E402

ARGO = 122  # runs a minute of Argo as it is installed, by the measurements in issue 5's floors
BESIDE = {"PENSTOCK_TEST_INSTANCE": "2", "PENSTOCK_TEST_PROVIDER": "machine", "PENSTOCK_TEST_CONTROLLER_RATE": "1000"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("one", "many", "crowded"), nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=200, help="how many at once")
    parser.add_argument("--lifted", action="store_true", help="on a cluster whose controller manager is not held back")
    parser.add_argument("--others", type=int, default=2000, help="how many finished runs and Models are beside")
    options = parser.parse_args()
    if options.lifted and "PENSTOCK_TEST_CONTROLLER_RATE" not in os.environ:
        sys.exit(run_on_own_cluster(sys.argv))
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        cluster = find_cluster()
        install(connect(cluster.kubeconfig))
        if "one" in options.what:
            measure_single_runs(cluster, Path(folder), options.rounds)
        if {"many", "crowded"} & set(options.what):
            with open_simulated_site(cluster, Path(folder)) as site:
                if "many" in options.what:
                    measure_many_runs(site, options.rounds, options.runs, options.lifted)
                if "crowded" in options.what:
                    measure_crowd(site, options.rounds, options.others)


def measure_single_runs(cluster: Cluster, folder: Path, rounds: int) -> None:
    """Measure single runs on real nodes."""
    site = BenchSite(connect(cluster.kubeconfig), cluster.kubeconfig, RealPods(load_image(cluster, "jobs")), folder)
    print("one run at a time, real nodes", flush=True)
    compared = SideMeasures()
    for _ in range(rounds):
        compared.add(site, 1)
    ours, floor = (median([each.seconds for each in side]) for side in (compared.ours, compared.floor))
    print(f"median {ours:.2f} s, bare Jobs {floor:.2f} s; the goal is 4 s")
    gaps = [1000 * gap for each in compared.ours for gap in each.gaps]
    print(f"from a container's exit to the next Job: median {median(gaps):.0f} ms; the goal is 100 ms")
    print_writes(compared)


def measure_many_runs(site: BenchSite, rounds: int, runs: int, lifted: bool) -> None:
    """Measure many runs at once on simulated nodes."""
    print(f"{runs} runs at once, simulated nodes", flush=True)
    compared = SideMeasures()
    for _ in range(rounds):
        compared.add(site, runs)
    print(f"{compared.rate():.3f} times the rate of bare Jobs; the goal is 0.95")
    if lifted:
        rate = median([each.chains_per_minute for each in compared.ours])
        print(f"{rate:.0f} runs a minute, {rate / ARGO:.2f} times Argo's {ARGO}; the goal is 2")
    print_writes(compared)


def print_writes(compared: SideMeasures) -> None:
    """Print how many writes a run costs above the floor, and of what."""
    print(f"{compared.more_writes():.1f} writes and deletes a run above bare Jobs, Events apart; the goal is 20")
    for name, side in (("Penstock", compared.ours), ("bare Jobs", compared.floor)):
        print(f"  {name}: {_by_kind(side[-1])}")


def _by_kind(measured: ChainMeasure) -> str:
    return ", ".join(f"{kind} {count / measured.chains:.1f}" for kind, count in sorted(measured.writes.items()))


@contextmanager
def open_simulated_site(cluster: Cluster, folder: Path) -> Iterator[BenchSite]:
    """Give a site of simulated nodes, and take them away after."""
    prefix = f"bench-{uuid4().hex[:6]}"
    with kwok.simulate_nodes(Kubectl(cluster.kubeconfig), prefix, 10):
        yield BenchSite(connect(cluster.kubeconfig), cluster.kubeconfig, SimulatedPods(prefix), folder)


def find_cluster() -> Cluster:
    """Return the cluster that is up, or that of `beside`, with what plays nodes in it."""
    if "PENSTOCK_TEST_CONTROLLER_RATE" in os.environ:
        found = choice.choose().up()
    else:
        up = choice.find()
        if up is None:
            sys.exit("No test cluster is up: `make cluster` leaves one up.")
        found = up[1]
    addon.install(found, kwok.ADDON)
    return found


def run_on_own_cluster(command: list[str]) -> int:
    """Do the same on a cluster of its own, which shares the programs and nothing else; return the exit code."""
    folder = ROOT / ".cache" / "bench-cluster"
    folder.mkdir(parents=True, exist_ok=True)
    for shared in ("programs", "images"):
        if not (folder / shared).exists():
            (folder / shared).symlink_to(cache.folder(shared))
    outside = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "PENSTOCK_TEST_CLUSTER")}
    environment = {**outside, **BESIDE, "PENSTOCK_TEST_CACHE": str(folder)}
    try:
        return subprocess.run([sys.executable, *command], env=environment).returncode
    finally:
        down = [sys.executable, "-m", "testcluster", "down"]
        subprocess.run(down, env={**environment, "PYTHONPATH": str(ROOT)}, check=False)


if __name__ == "__main__":
    main()
