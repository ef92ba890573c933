"""The operator beside what has been for long: `python bench/operator_scale.py alone cluster`.

10,000 runs that ended, of 200 Pipelines, and 2,000 whose Job waits in a queue. `alone` needs no cluster: what the
finished runs weigh in the operator's memory, and what a look at a Pipeline and at a run costs beside none and beside
them. `cluster` is the whole operator on the test cluster, behind a proxy that counts: its memory, how many requests a
second it makes at rest, with its Lease, and what a new run costs beside none and beside all of them.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[1:1] = [str(ROOT / each) for each in (".", "tests", "operator", "job-images")]

from cluster.api_proxy import ApiProxy, run_proxy  # noqa: E402
from cluster.custom_resources import install  # noqa: E402
from cluster.kubernetes_api import CONFIG_MAPS, connect  # noqa: E402
from cluster.operator_process import OperatorProcess, run_operator  # noqa: E402
from penstock.act.cache import ObjectCache  # noqa: E402
from penstock.act.controllers import controllers  # noqa: E402
from penstock.act.queue import WorkQueue  # noqa: E402
from penstock.act.view import View, index_keys  # noqa: E402
from penstock.decide.settings import Settings  # noqa: E402
from penstock.kubernetes.client import Client  # noqa: E402
from penstock.kubernetes.connection import encode  # noqa: E402
from penstock.kubernetes.kinds import Key  # noqa: E402
from penstock.kubernetes.rate_limit import RateLimiter  # noqa: E402
from runs import find_cluster, open_simulated_site  # noqa: E402
from runs_crowd import NAME, measure_costs, measure_run, run_in_threads  # noqa: E402
from runs_recorder import MODELS, REVISIONS, RUNS  # noqa: E402
from runs_sides import BenchSite, resident_memory, wait_until_idle  # noqa: E402
from runs_trivial import pipeline, run_of  # noqa: E402
from scale_copies import FinishedRun, Object, of_run, with_identity  # noqa: E402
from unit.decide_run.model_operator import settle  # noqa: E402
from unit.decide_run.runs_at_work import apply_run  # noqa: E402

MOST_MEMORY, MOST_REQUESTS = 250, 1.0  # MiB; a second, at rest
LONG_AFTER = 90000  # seconds: beyond what is kept of Jobs
_RESOURCES = {"Model": MODELS, "ControllerRevision": REVISIONS, "ConfigMap": CONFIG_MAPS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("alone", "cluster"), nargs="+")
    parser.add_argument("--runs", type=int, default=10_000, help="how many have ended")
    parser.add_argument("--pipelines", type=int, default=200, help="of how many Pipelines")
    parser.add_argument("--queued", type=int, default=2_000, help="how many runs wait in a queue")
    parser.add_argument("--rest", type=float, default=660, help="seconds at rest; all is listed every ten minutes")
    parser.add_argument("--rounds", type=int, default=3, help="runs that are measured")
    options = parser.parse_args()
    if "alone" in options.what:
        measure_alone(options.runs, options.pipelines)
    if "cluster" in options.what:
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            cluster = find_cluster()
            install(connect(cluster.kubeconfig))
            with open_simulated_site(cluster, Path(folder)) as site:
                measure_on_cluster(site, options)


# --- without a cluster ------------------------------------------------------------------------------------------------


def measure_alone(runs: int, pipelines: int) -> None:
    """Print what so many finished runs weigh, and what looks cost beside them and beside none."""
    finished, made_of, now = make_finished_run()
    asyncio.run(_measure_alone(finished, made_of, now, runs, pipelines))


async def _measure_alone(finished: FinishedRun, made_of: Object, now: datetime, runs: int, pipelines: int) -> None:
    few, _ = fill(finished, made_of, 1, 1)
    before = await cost_of_looks(few, finished, now)
    gc.collect()
    empty = resident_memory(os.getpid())
    crowd, seconds = fill(finished, made_of, runs, pipelines)
    gc.collect()
    more = resident_memory(os.getpid()) - empty
    print(f"{runs} finished runs of {pipelines} Pipelines: {more:.1f} MiB, {1024 * more / runs:.1f} KiB each;")
    print(f"taken in within {seconds:.1f} s of processor, {1000 * seconds / runs:.1f} ms each")
    after = await cost_of_looks(crowd, finished, now)
    for kind in before:
        print(f"a look at a {kind}: {before[kind]:.2f} ms beside none, {after[kind]:.2f} ms beside all")


def make_finished_run() -> tuple[FinishedRun, Object, datetime]:
    """Return a run that has ended long ago, its Pipeline, of which nothing is served, and when that is."""
    cluster, operator = apply_run()
    settle(cluster, operator)
    cluster.advance_clock(LONG_AFTER)
    operator.rest("churn-1")
    there = [*cluster.objects.values()]
    run = cluster.objects["PipelineRun", "churn-1"]
    finished = of_run(there, run, "churn")
    unserved = tuple(_without_servers(each) for each in finished.left)  # one Model of a Pipeline is served
    made_of = {name: value for name, value in cluster.objects["Pipeline", "churn"].items() if name != "status"}
    return FinishedRun(run, unserved, finished.pipeline, finished.model), made_of, cluster.now


def fill(finished: FinishedRun, made_of: Object, runs: int, pipelines: int) -> tuple[View, float]:
    """Return what an operator sees that has been told of so many; and the seconds of processor that took."""
    view, version = View(ObjectCache(index_keys), WorkQueue(lambda: 0.5)), 1
    spent = time.process_time()
    for number in range(pipelines):
        version += 1
        named = {**made_of, "metadata": {**made_of["metadata"], "name": f"pipeline-{number}"}}
        view.on_update(with_identity(named, version))
    for number in range(runs):
        name = f"pipeline-{number % pipelines}"
        version += 10
        run = with_identity(finished.copy_run(number, name), version)
        view.on_update(run)
        for position, each in enumerate(finished.copy_left(number, name, run["metadata"]["uid"])):
            view.on_update(with_identity(each, version + position + 1))
    return view, time.process_time() - spent


async def cost_of_looks(view: View, finished: FinishedRun, now: datetime, looks: int = 50) -> dict[str, float]:
    """Return the milliseconds of processor of a look at a Pipeline, and at a run of it, that come to nothing."""
    table = controllers(view, Client(_Nobody(), RateLimiter(1e9, 10**9), 1), Settings(), lambda: now)
    namespace, found = finished.run["metadata"]["namespace"], {}
    for kind, name in (("Pipeline", "pipeline-0"), ("PipelineRun", "crowd-run-0")):
        subject = view.cache.get(Key(kind, namespace, name))
        assert subject is not None
        spent = time.process_time()
        for _ in range(looks):
            observed = await table[kind].observe(subject)
            table[kind].decide(observed.observation, now)
        found[kind] = 1000 * (time.process_time() - spent) / looks
    return found


class _Nobody:
    """A connection that nobody may use: a finished run asks for nothing."""

    async def send(self, request: Any) -> Any:
        raise AssertionError(request)


def _without_servers(found: Object) -> Object:
    if found["kind"] != "Model":
        return found
    return {**found, "status": {name: value for name, value in found["status"].items() if name != "servedBy"}}


# --- on the test cluster ----------------------------------------------------------------------------------------------


def measure_on_cluster(site: BenchSite, options: argparse.Namespace) -> None:
    """Print memory and requests at rest, and what a run costs beside none and beside all."""
    with site.namespace("scale") as namespace:
        site.create([pipeline(NAME, namespace, site.pods)])
        with site.running(namespace) as operator:
            wait_until_idle(operator)
            print(f"beside none: {operator.memory():.1f} MiB", flush=True)
            alone = measure_costs(site, operator, namespace, options.rounds)
            print(f"a run beside none: {alone}", flush=True)
            measure_run(site, operator, namespace, "template-run")
            wait_until_idle(operator)
        crowd(site, namespace, options.runs, options.pipelines)
        site.api.delete(MODELS, f"{NAME}-1", namespace)
        with run_proxy(site.kubeconfig) as proxy, running_with_lease(site, proxy, namespace) as operator:
            queue_up(site, operator, namespace, options.queued)
            measure_rest(operator, proxy, options.rest)
            beside = measure_costs(site, operator, namespace, options.rounds)
        print(f"a run beside all: {beside}; {beside.processor / alone.processor:.2f} times as much")


def running_with_lease(site: BenchSite, proxy: ApiProxy, namespace: str) -> Any:
    """Run an operator behind the proxy that holds a Lease, with the settings of the chart."""
    settings = {"logs": {"level": "INFO"}, "lease": {"name": "bench", "namespace": namespace}}
    return run_operator(proxy.kubeconfig(site.folder), namespace, site.folder, settings=settings, name="beside")


def crowd(site: BenchSite, namespace: str, runs: int, pipelines: int) -> None:
    """Make so many Pipelines, and finished runs of them with what such runs leave."""
    site.create([pipeline(f"crowd-{number}", namespace, site.pods) for number in range(pipelines)])
    run = site.api.get(RUNS, "template-run", namespace)
    finished = of_run(_all_of(site, namespace), run, NAME)

    def make(number: int) -> None:
        name = f"crowd-{number % pipelines}"
        copied = finished.copy_run(number, name)
        made = site.api.create({name: value for name, value in copied.items() if name != "status"})
        site.api.patch(RUNS, made["metadata"]["name"], {"status": copied["status"]}, namespace, beneath="status")
        for each in finished.copy_left(number, name, made["metadata"]["uid"]):
            _create_left(site, each, namespace)

    run_in_threads(make, range(runs))
    print(f"{runs} finished runs of {pipelines} Pipelines are there", flush=True)


def _create_left(site: BenchSite, made: Object, namespace: str) -> None:
    resource = _RESOURCES[made["kind"]]
    if made["kind"] == "ControllerRevision":  # immutable to the byte, as the operator writes it
        path = f"/apis/{resource.api_version}/namespaces/{namespace}/{resource.plural}"
        site.api.request("POST", path, encode(made))
        return
    site.api.create({name: value for name, value in made.items() if name != "status"})
    if made.get("status"):
        site.api.patch(resource, made["metadata"]["name"], {"status": made["status"]}, namespace, beneath="status")


def _all_of(site: BenchSite, namespace: str) -> list[Object]:
    """Return what runs leave in the namespace; the items of a list do not say what they are."""
    return [
        {**each, "apiVersion": resource.api_version, "kind": kind}
        for kind, resource in _RESOURCES.items()
        for each in site.api.objects(resource, namespace)
    ]


def queue_up(site: BenchSite, operator: OperatorProcess, namespace: str, queued: int) -> None:
    """Make so many runs whose Job waits in a queue that lets nothing go."""
    operator.wait_until_ready(900)
    names = [f"queued-{number}" for number in range(queued)]
    made = [pipeline(name, namespace, site.pods) for name in names]
    for each in made:
        for job in each["spec"]["jobs"]:
            job["queueName"] = "bench"
    site.create(made)
    site.create([run_of(name, namespace) for name in names])
    wait_until_idle(operator)


def measure_rest(operator: OperatorProcess, proxy: ApiProxy, seconds: float) -> None:
    """Print what the operator holds, and asks for, while nothing happens."""
    wait_until_idle(operator)
    before = len(proxy.asked)
    time.sleep(seconds)
    asked = proxy.asked[before:]
    by_kind = Counter(f"{each.method} {each.path.split('?')[0].rsplit('/namespaces/')[-1]}" for each in asked)
    memory, rate = operator.memory(), len(asked) / seconds
    print(f"at rest: {memory:.1f} MiB; the goal is {MOST_MEMORY} MiB", flush=True)
    print(f"at rest: {rate:.2f} requests a second, in {seconds:.0f} s; the goal is {MOST_REQUESTS}", flush=True)
    print(f"  {', '.join(f'{count} {what}' for what, count in by_kind.most_common(8))}", flush=True)


if __name__ == "__main__":
    main()
