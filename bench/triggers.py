"""Triggers of the same minute, on the test cluster: `python bench/triggers.py [--triggers 500]`.

All of them name one moment. Their Pipeline is not there, so that nothing but the firing is measured: how long after the
moment the last run was made, whether any has two or none, and whether the operator was healthy all the time.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[1:1] = [str(ROOT / each) for each in (".", "tests", "operator", "job-images")]

from cluster.custom_resources import install  # noqa: E402
from cluster.kubernetes_api import KubernetesApi, Object, Resource, connect  # noqa: E402
from cluster.namespaces import Namespaces  # noqa: E402
from cluster.operator_process import OperatorProcess, run_operator  # noqa: E402
from penstock.decide.times import read_time, write_time  # noqa: E402
from testcluster import choice  # noqa: E402

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
TRIGGERS = Resource("penstock.dev/v1alpha1", "triggers")
GOAL = 30.0  # seconds
_THREADS = 8
_LONGEST = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triggers", type=int, default=500, help="how many of the same minute")
    options = parser.parse_args()
    up = choice.find()
    if up is None:
        sys.exit("No test cluster is up: `make cluster` leaves one up.")
    cluster = up[1]
    api = connect(cluster.kubeconfig)
    install(api)
    with (
        tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder,
        Namespaces(api).one("triggers") as namespace,
        run_operator(cluster.kubeconfig, namespace, Path(folder)) as operator,
    ):
        operator.wait_until_ready()
        measure_firing(api, namespace, operator, options.triggers)


def measure_firing(api: KubernetesApi, namespace: str, operator: OperatorProcess, number: int) -> None:
    """Print how long after the moment the last run was made, and what else must hold."""
    moment = (datetime.now(UTC) + timedelta(seconds=20 + number / 10)).replace(microsecond=0)
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda index: api.create(_trigger(index, moment), namespace), range(number)))
    if datetime.now(UTC) >= moment:
        sys.exit("The Triggers were not made in time; take fewer.")
    time.sleep((moment - datetime.now(UTC)).total_seconds())
    unhealthy, end = 0, time.monotonic() + _LONGEST
    while True:
        unhealthy += operator.ask("/healthz")[0] != 200
        runs = api.objects(RUNS, namespace)
        if len(runs) >= number or time.monotonic() > end:
            break
        time.sleep(0.5)
    made = Counter(run["spec"]["trigger"]["name"] for run in runs)
    seconds = max((read_time(run["metadata"]["creationTimestamp"]) - moment).total_seconds() for run in runs)
    twice = sum(count > 1 for count in made.values())
    print(
        f"{len(made)} of {number} Triggers fired, {twice} of them twice; the last run {seconds:.0f} s after the moment;"
    )
    print(f"the goal is {GOAL:.0f} s; not healthy {unhealthy} times; {operator.memory():.0f} MiB")


def _trigger(index: int, moment: datetime) -> Object:
    spec = {"pipelineRef": {"name": "not-there"}, "schedule": {"moments": [write_time(moment)]}}
    name = f"trigger-{index}"
    return {"apiVersion": TRIGGERS.api_version, "kind": "Trigger", "metadata": {"name": name}, "spec": spec}


if __name__ == "__main__":
    main()
