"""Of several operators one works, the one that holds the Lease."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.api_proxy import ApiProxy, run_proxy
from cluster.custom_resources import install
from cluster.kubernetes_api import KubernetesApi, Object, Resource
from cluster.operator_process import OperatorProcess, run_operator
from cluster.toy_operator import WANTED
from testcluster.cluster import Cluster

RUNS = Resource("penstock.dev/v1alpha1", "pipelineruns")
TOY = "cluster.toy_operator"
LEASES = Resource("coordination.k8s.io/v1", "leases")


class Replicas:
    """Operators side by side, each named, all after the same Lease."""

    def __init__(self, api: KubernetesApi, namespace: str, proxy: ApiProxy, folder: Path, stack: ExitStack) -> None:
        self.api, self.namespace, self.proxy, self.folder, self.stack = api, namespace, proxy, folder, stack
        self.kubeconfig = proxy.kubeconfig(folder)

    def start(self, name: str) -> OperatorProcess:
        settings = {"lease": {"name": "penstock", "namespace": self.namespace}}
        return self.stack.enter_context(
            run_operator(
                self.kubeconfig,
                self.namespace,
                self.folder,
                module="cluster.toy_operator",
                settings=settings,
                name=name,
            )
        )

    def wait_for_leader(self) -> str:
        lease = self.api.wait_for(LEASES, "penstock", self.namespace, _holder, what="a holder of the Lease")
        return str(_holder(lease))

    def assert_done(self, name: str) -> None:
        self.api.create(
            {
                "apiVersion": RUNS.api_version,
                "kind": "PipelineRun",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {"pipelineRef": {"name": "none"}},
            }
        )
        self.api.wait_for(RUNS, name, self.namespace, _is_done, what="an end of the run", seconds=60)


def _holder(lease: Object) -> str | None:
    holder: str | None = lease["spec"].get("holderIdentity")
    return holder


def _is_done(run: Object) -> bool:
    return (run.get("status") or {}).get("executionName") == f"made-{WANTED}"


@pytest.fixture
def replicas(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Replicas]:
    install(api)
    with run_proxy(cluster.kubeconfig) as proxy, ExitStack() as stack:
        yield Replicas(api, namespace, proxy, tmp_path, stack)


def test_one_works_and_the_other_stands_by_ready(replicas: Replicas) -> None:
    first = replicas.start("first")
    leader = replicas.wait_for_leader()
    second = replicas.start("second")
    second.wait_until_ready()

    replicas.assert_done("run-1")

    assert replicas.wait_for_leader() == leader
    assert "Working." in first.log.read_text()
    assert "Working." not in second.log.read_text()
    assert second.ask("/healthz") == (200, "ok")


@pytest.mark.parametrize("end", ["told to end", "killed"])
def test_when_the_one_that_works_ends_the_other_takes_over(replicas: Replicas, end: str) -> None:
    first = replicas.start("first")
    replicas.wait_for_leader()
    first.wait_until_ready()
    replicas.start("second").wait_until_ready()

    if end == "killed":
        first.kill()
    else:
        assert first.stop() == 0

    replicas.assert_done("run-1")


def test_who_cannot_renew_the_lease_ends(replicas: Replicas) -> None:
    only = replicas.start("only")
    replicas.wait_for_leader()

    replicas.proxy.refuse = lambda asked: 503 if "/leases/" in asked.path else None

    assert only.process.wait(60) == 1
    assert "was lost: it could not be renewed" in only.log.read_text()
