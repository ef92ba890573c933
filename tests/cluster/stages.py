"""A namespace in which everything is real but what happens in pods, which is played: so a whole run takes seconds."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.api_proxy import ApiProxy, run_proxy
from cluster.custom_resources import install
from cluster.kubernetes_api import CONFIG_MAPS, DEPLOYMENTS, JOBS, KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, run_operator
from cluster.pod_player import NOWHERE, RUN_UID, STEP, PodPlayer
from cluster.sites import MODELS, PIPELINES, RUNS, has_ended
from manifest_changes import named
from testcluster.cluster import Cluster
from testcluster.patience import attempts
from unit.decide_run.examples_of_runs import PIPELINE

REVISIONS = Resource("apps/v1", "controllerrevisions")
STEPS = ("dataset", "training", "testing")
JOBS_OF_A_RUN = (*STEPS, "deployment")
OWNED = (JOBS, CONFIG_MAPS, REVISIONS)


@dataclass(frozen=True)
class Stage:
    """A namespace with a Pipeline, whose pods are played, and a proxy before its API server."""

    api: KubernetesApi
    namespace: str
    proxy: ApiProxy
    kubeconfig: Path
    folder: Path
    player: PodPlayer

    @contextmanager
    def operator(self) -> Iterator[OperatorProcess]:
        with run_operator(self.kubeconfig, self.namespace, self.folder) as running:
            yield running

    def apply_run(self, name: str) -> Object:
        metadata = {"name": name, "namespace": self.namespace}
        spec = {"pipelineRef": {"name": "churn"}}
        made = {"apiVersion": RUNS.api_version, "kind": "PipelineRun", "metadata": metadata, "spec": spec}
        return self.api.create(made)

    def wait_until_ended(self, name: str) -> Object:
        return self.api.wait_for(RUNS, name, self.namespace, has_ended, what="an end of the run", seconds=90)

    def wait_until_served(self, run: str) -> Object:
        """Return the Pipeline once it says that it serves the Model of that run."""
        return self.api.wait_for(
            PIPELINES,
            "churn",
            self.namespace,
            lambda seen: (seen["status"].get("servedModel") or {}).get("selectedBy") == run,
            what="the Model served",
        )

    def wait_until_killed_or_ended(self, operator: OperatorProcess, name: str, seconds: float = 60) -> None:
        for _ in attempts("an end of the operator, or of the run", seconds):
            if operator.process.poll() is not None or has_ended(self.api.get(RUNS, name, self.namespace)):
                return

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
        for resource in OWNED:
            for child in self.api.objects(resource, self.namespace, labels=RUN_UID):
                assert [owner["kind"] for owner in child["metadata"]["ownerReferences"] if owner.get("controller")] == [
                    "PipelineRun"
                ]


@contextmanager
def stage(
    api: KubernetesApi, cluster: Cluster, namespace: str, folder: Path, storage: Object | None = None, **jobs: Any
) -> Iterator[Stage]:
    """Apply the Pipeline and play its pods; `jobs` are settings of single jobs, whose pods are real then."""
    install(api)
    pipeline = copy.deepcopy(PIPELINE)
    pipeline["metadata"]["namespace"] = namespace
    if storage is not None:
        pipeline["spec"]["storage"] = storage
    for name in JOBS_OF_A_RUN:
        settings = named(pipeline["spec"]["jobs"], name)
        settings |= jobs.get(name, {"nodeSelector": NOWHERE})
    api.create(pipeline)
    with run_proxy(cluster.kubeconfig) as proxy, PodPlayer(api, namespace) as player:
        yield Stage(api, namespace, proxy, proxy.kubeconfig(folder), folder, player)
