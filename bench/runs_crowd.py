"""What the operator holds in memory, and what a run costs it, where thousands have ended.

The thousands are copies of one run that really went: itself, its snapshot, its results, its Jobs, its pods and its
Model, made while no operator looks. The Jobs among them are suspended, so that nobody makes pods for them.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cluster.kubernetes_api import CONFIG_MAPS, JOBS, PODS, Object, Resource
from cluster.operator_process import OperatorProcess
from penstock.kubernetes.connection import encode
from runs_recorder import MODELS, REVISIONS, RUNS, Recorder
from runs_sides import LONGEST, QUIET, BenchSite, median, processor_seconds, wait_until_idle
from runs_trivial import pipeline, run_of

KEPT = 400  # finished runs with all their children, and once more as many
NAME = "bench"
CHILDREN = (REVISIONS, CONFIG_MAPS, MODELS, JOBS, PODS)
_THREADS = 8
_MADE_BY_JOBS = ("batch.kubernetes.io/controller-uid", "controller-uid", "batch.kubernetes.io/job-name", "job-name")


@dataclass(frozen=True)
class Cost:
    """What a run costs the operator: seconds of processor, and looks at it and at its Pipeline."""

    processor: float
    looks: float
    seconds: float

    def __str__(self) -> str:
        return f"{1000 * self.processor:.0f} ms of processor, {self.looks:.0f} looks of {1000 * self.seconds:.1f} ms"


def measure_crowd(site: BenchSite, rounds: int, others: int) -> None:
    """Measure memory at rest and for each run that is kept, and a run beside none and beside so many others."""
    with site.namespace("crowd") as namespace:
        with site.running(namespace) as operator:
            wait_until_idle(operator)
            print(f"at rest {operator.memory():.1f} MiB; the goal is 95 MiB", flush=True)
            site.create([pipeline(NAME, namespace, site.pods)])
            alone = measure_costs(site, operator, namespace, rounds)
            print(f"a run beside none: {alone}", flush=True)
            measure_run(site, operator, namespace, "kept")
        one = _FinishedRun(site, namespace, "kept")
        first, second = (_memory_with(site, namespace, one, range(start, start + KEPT)) for start in (0, KEPT))
        each = 1024 * (second - first) / KEPT
        print(f"{KEPT} runs kept {first:.1f} MiB, {2 * KEPT} {second:.1f} MiB: {each:.1f} KiB each; the goal is 20 KiB")
        run_in_threads(lambda number: one.copy(number, (MODELS,)), range(2 * KEPT, others))
        site.api.delete(MODELS, f"{NAME}-1", namespace)
        with site.running(namespace) as operator:
            wait_until_idle(operator)
            print(f"beside {others} runs and Models: {operator.memory():.1f} MiB", flush=True)
            crowd = measure_costs(site, operator, namespace, rounds)
        print(f"a run beside {others}: {crowd}; {crowd.processor / alone.processor:.2f} times as much")


def _memory_with(site: BenchSite, namespace: str, one: "_FinishedRun", numbers: range) -> float:
    """Return what an operator holds that begins with all that is there, and so many more runs."""
    run_in_threads(lambda number: one.copy(number, CHILDREN), numbers)
    with site.running(namespace) as operator:
        wait_until_idle(operator)
        return operator.memory()


def measure_costs(site: BenchSite, operator: OperatorProcess, namespace: str, rounds: int) -> Cost:
    """Return the medians of so many runs, one after the other, none of which is kept."""
    costs = []
    for number in range(rounds):
        costs.append(measure_run(site, operator, namespace, f"measured-{number}"))
        site.api.delete(RUNS, f"measured-{number}", namespace)
        site.api.delete(MODELS, f"{NAME}-1", namespace)
        site.api.wait_until_gone(MODELS, f"{NAME}-1", namespace)
        wait_until_idle(operator)
    return Cost(*(median([getattr(each, name) for each in costs]) for name in ("processor", "looks", "seconds")))


def measure_run(site: BenchSite, operator: OperatorProcess, namespace: str, name: str) -> Cost:
    made = run_of(NAME, namespace)
    made["metadata"]["name"] = name
    with Recorder(site.api, namespace) as recorder:
        spent, (looks, seconds) = processor_seconds(operator.process.pid), _count_passes(operator)
        site.create([made])
        recorder.wait("an end of the run", lambda: bool(recorder.finished), LONGEST)
        recorder.settle(QUIET)
        wait_until_idle(operator)
        later, more = _count_passes(operator)
        used = processor_seconds(operator.process.pid) - spent
    return Cost(used, later - looks, (more - seconds) / max(later - looks, 1))


def _count_passes(operator: OperatorProcess) -> tuple[float, float]:
    """Return how many looks there were so far, and how long they took together."""
    _, metrics = operator.ask("/metrics")
    count, seconds = (
        sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name))
        for name in ("penstock_reconcile_seconds_count", "penstock_reconcile_seconds_sum")
    )
    return count, seconds


class _FinishedRun:
    """A run that has ended, and its children, of which copies can be made."""

    def __init__(self, site: BenchSite, namespace: str, name: str) -> None:
        self._api, self._namespace = site.api, namespace
        self._run = self._api.get(RUNS, name, namespace)
        labels = f"penstock.dev/run-uid={self._run['metadata']['uid']}"
        self._children = {kind: self._api.objects(kind, namespace, labels=labels) for kind in CHILDREN}

    def copy(self, number: int, kinds: tuple[Resource, ...]) -> None:
        """Make a copy of the run, and of its children of these kinds."""
        run = self._api.create(self._copy_of(self._run, number, None))
        self._status(RUNS, run, self._run)
        for kind in kinds:
            for child in self._children[kind]:
                made = self._create(kind, _make_harmless(self._copy_of(child, number, run["metadata"]["uid"])))
                if kind in (MODELS, PODS):
                    self._status(kind, made, child)

    def _create(self, kind: Resource, made: Object) -> Object:
        if kind != REVISIONS:
            return self._api.create(made)
        # What is immutable to the byte must be written as the operator writes it, or its owners could not be changed.
        path = f"/apis/{kind.api_version}/namespaces/{self._namespace}/{kind.plural}"
        return dict(json.loads(self._api.request("POST", path, encode(made))))

    def _copy_of(self, found: Object, number: int, run: str | None) -> Object:
        metadata = found["metadata"]
        labels = dict(metadata.get("labels") or {})
        again: dict[str, Any] = {"name": f"{metadata['name']}-{number}", "namespace": self._namespace}
        if run is not None:
            again["labels"] = labels | {"penstock.dev/run-uid": run}
        if run is not None and found["kind"] != "Model":
            name = f"{self._run['metadata']['name']}-{number}"
            owner = {"apiVersion": self._run["apiVersion"], "kind": "PipelineRun", "name": name, "uid": run}
            again["ownerReferences"] = [owner | {"controller": True}]
        return {key: value for key, value in found.items() if key != "status"} | {"metadata": again}

    def _status(self, kind: Resource, made: Object, found: Object) -> None:
        change = {"status": found.get("status") or {}}
        self._api.patch(kind, made["metadata"]["name"], change, self._namespace, beneath="status")


def _make_harmless(made: Object) -> Object:
    """Return a Job of which no pods are made, and a pod that goes nowhere."""
    if made["kind"] == "Job":
        spec = {key: value for key, value in made["spec"].items() if key != "selector"} | {"suspend": True}
        labels = spec["template"]["metadata"]["labels"]
        kept = {key: value for key, value in labels.items() if key not in _MADE_BY_JOBS}
        spec["template"] = spec["template"] | {"metadata": {"labels": kept}}
        return made | {"spec": spec}
    if made["kind"] == "Pod":
        spec = {key: value for key, value in made["spec"].items() if key not in ("nodeName", "volumes")}
        spec["containers"] = [_strip_container(each) for each in spec["containers"]]
        return made | {"spec": spec | {"schedulerName": "nobody"}}
    return made


def _strip_container(container: Object) -> Object:
    return {key: value for key, value in container.items() if key != "volumeMounts"}


def run_in_threads(make: Any, numbers: range) -> None:
    def all_made() -> Iterator[None]:
        with ThreadPoolExecutor(_THREADS) as threads:
            yield from threads.map(make, numbers)

    for _ in all_made():
        pass
