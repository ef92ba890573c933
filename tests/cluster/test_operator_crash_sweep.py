"""The operator dies after any of its writes, and is started again: the end is the same, and nothing is done twice.

The API server, the Job controller and the operator are real; pods are played.
"""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.api_proxy import ApiProxy, Asked, proxied
from cluster.custom_resources import install
from cluster.kubernetes_api import DEPLOYMENTS, JOBS, Api, Object, Resource
from cluster.operator_process import OperatorProcess, running_operator
from cluster.pod_player import NOWHERE, RUN_UID, STEP, PodPlayer
from testcluster.cluster import Cluster
from unit.decide_run.examples_of_runs import PIPELINE

PIPELINES = Resource("penstock.dev/v1alpha1", "pipelines")
RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
MODELS = Resource("penstock.dev/v1alpha1", "models")
STEPS = ("dataset", "training", "testing")
OWNED = ("jobs", "configmaps", "controllerrevisions")
MOST_WRITES = 40  # of one run of four jobs, Events apart: 31 on a quiet machine
MOST_LOOKS = 30  # at a run, and at its Pipeline: 16 and 10
MOST_LIVES = 60  # a sweep that never ends is no sweep


@dataclass(frozen=True)
class Stage:
    """A namespace with a Pipeline, whose pods are played, and a proxy before its API server."""

    api: Api
    namespace: str
    proxy: ApiProxy
    kubeconfig: Path
    folder: Path
    player: PodPlayer

    @contextmanager
    def operator(self) -> Iterator[OperatorProcess]:
        with running_operator(self.kubeconfig, self.namespace, self.folder) as running:
            yield running

    def apply_run(self, name: str) -> Object:
        metadata = {"name": name, "namespace": self.namespace}
        spec = {"pipelineRef": {"name": "churn"}}
        made = {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": metadata, "spec": spec}
        return self.api.create(made)

    def wait_until_ended(self, name: str) -> Object:
        return self.api.wait_for(RUNS, name, self.namespace, _has_ended, what="an end of the run", seconds=90)

    def wait_until_killed_or_ended(self, operator: OperatorProcess, name: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while operator.process.poll() is None and not _has_ended(self.api.get(RUNS, name, self.namespace)):
            assert time.monotonic() < deadline, operator.log.read_text()[-5000:]
            time.sleep(0.05)

    def assert_done_once(self, run: Object) -> None:
        """One Job a step, one pod played for each, one Model, each child owned by its run."""
        uid = run["metadata"]["uid"]
        jobs = self.api.objects(JOBS, self.namespace, labels=f"{RUN_UID}={uid}")
        assert sorted(job["metadata"]["labels"][STEP] for job in jobs) == sorted(STEPS)
        assert {step: self.player.played[uid, step] for step in STEPS} == dict.fromkeys(STEPS, 1)
        assert len(self.api.objects(MODELS, self.namespace, labels=f"{RUN_UID}={uid}")) == 1
        pipeline = self.api.get(PIPELINES, "churn", self.namespace)
        assert pipeline["status"]["servedModel"]["selectedBy"] == run["metadata"]["name"]
        assert len(self.api.objects(DEPLOYMENTS, self.namespace)) == 1
        for plural in OWNED:
            for child in self.api.objects(_resource(plural), self.namespace, labels=RUN_UID):
                assert [owner["kind"] for owner in child["metadata"]["ownerReferences"] if owner.get("controller")] == [
                    "PipelineRun"
                ]


def _resource(plural: str) -> Resource:
    return {"jobs": JOBS, "configmaps": Resource("v1", plural)}.get(plural, Resource("apps/v1", plural))


def _has_ended(run: Object) -> bool:
    return bool((run.get("status") or {}).get("finished"))


def _succeeded(run: Object) -> Object:
    [found] = [each for each in run["status"]["conditions"] if each["type"] == "Succeeded"]
    return {"status": found["status"], "message": found["message"]}


@pytest.fixture
def stage(api: Api, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    install(api)
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["metadata"]["namespace"] = namespace
    for settings in (*pipeline["spec"]["jobs"].values(), pipeline["spec"]["jobs"].setdefault("deployment", {})):
        settings["nodeSelector"] = NOWHERE
    api.create(pipeline)
    with proxied(cluster.kubeconfig) as proxy, PodPlayer(api, namespace) as player:
        yield Stage(api, namespace, proxy, proxy.kubeconfig(tmp_path), tmp_path, player)


def test_a_run_of_all_jobs_ends_with_its_model_served(stage: Stage) -> None:
    with stage.operator() as operator:
        operator.wait_until_ready()
        run = stage.apply_run("churn-1")
        ended = stage.wait_until_ended("churn-1")

    assert _succeeded(ended)["status"] == "True", _succeeded(ended)
    stage.assert_done_once(run)


def test_a_run_costs_a_bounded_number_of_looks_and_writes(stage: Stage) -> None:
    with stage.operator() as operator:
        operator.wait_until_ready()
        stage.apply_run("churn-1")
        stage.wait_until_ended("churn-1")
        _, metrics = operator.asked("/metrics")

    looks = {
        kind: _total(metrics, f'penstock_reconcile_seconds_count{{kind="{kind}"}}')
        for kind in ("PipelineRun", "Pipeline")
    }
    events = _total(metrics, 'penstock_api_writes_total{kind="Event",verb="create"}')
    assert looks["PipelineRun"] <= MOST_LOOKS
    assert looks["Pipeline"] <= MOST_LOOKS
    assert _total(metrics, "penstock_api_writes_total") - events <= MOST_WRITES


def _total(metrics: str, name: str) -> float:
    """Return the sum of all lines of that name."""
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name))


def _killing(operator: OperatorProcess, after: int) -> Callable[[Asked], None]:
    """Return what kills the operator once so many writes have passed and one more comes."""
    seen: list[Asked] = []

    def kill(asked: Asked) -> None:
        seen.append(asked)
        if len(seen) == after + 1:
            operator.kill()

    return kill


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_each_write_of_its_life_it_comes_to_the_same_end(stage: Stage, when: str) -> None:
    """`before`: the write is never made. `after`: it is made, and nobody hears of it.

    Each operator lives for one write (`after`), or for one that passes and one that does not (`before`): so the run is
    begun again at each of its writes, from what is in the cluster alone.
    """
    run = stage.apply_run("churn-1")
    lives = 0
    while not _has_ended(stage.api.get(RUNS, "churn-1", stage.namespace)) and lives < MOST_LIVES:
        lives += 1
        with stage.operator() as operator:
            setattr(stage.proxy, when, _killing(operator, after=1 if when == "before" else 0))
            stage.wait_until_killed_or_ended(operator, "churn-1")

    ended = stage.wait_until_ended("churn-1")
    assert _succeeded(ended)["status"] == "True", _succeeded(ended)
    assert lives > len(STEPS)
    stage.assert_done_once(run)
