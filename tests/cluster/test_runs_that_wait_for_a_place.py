"""Quota, a node that is closed, nodes that are full: a run waits for its place, and has it as soon as it is there."""

from collections.abc import Iterator

import pytest

from cluster.kubernetes_api import NODES, PODS, KubernetesApi, Object, Resource
from cluster.probe_pods import PORT, ProbePods
from cluster.sites import Site
from testcluster import probes
from testcluster.addons.archive import archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.nodes import GPU_RESOURCE, real_nodes

QUOTAS = Resource("v1", "resourcequotas")
TOLERATIONS = [{"key": GPU_RESOURCE, "operator": "Exists"}]
HOST = "kubernetes.io/hostname"


@pytest.fixture(scope="module")
def nodes(api: KubernetesApi) -> list[Object]:
    """The two nodes that run pods."""
    return real_nodes(api.objects(NODES))[:2]


@pytest.fixture
def quota(site: Site) -> Iterator[str]:
    """A quota of hardly any memory in the namespace."""
    spec = {"hard": {"limits.memory": "100Mi"}}
    site.api.create(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": spec}, site.namespace
    )
    yield "few"
    site.api.delete(QUOTAS, "few", site.namespace)


def test_a_run_waits_for_quota_and_goes_on_when_it_is_raised(site: Site, quota: str) -> None:
    limited = {"resources": {"requests": {"memory": "100Mi"}, "limits": {"memory": "1Gi"}}}
    run = site.run(site.pipeline("limited", jobs__dataset=limited))

    assert f"exceeded quota: {quota}, requested: limits.memory=1Gi" in site.wait_for_reason(run, "QuotaExceeded")
    site.api.patch(QUOTAS, quota, {"spec": {"hard": {"limits.memory": "2Gi"}}}, site.namespace)
    site.wait_for_success(run)
    assert len(site.jobs(run)) == len(site.pods(run)) == 1


@pytest.mark.needs("two-nodes")
def test_a_run_waits_for_a_cordoned_node_until_it_is_open_again(site: Site, cordoned: str) -> None:
    there = {"nodeSelector": {HOST: cordoned}, "tolerations": TOLERATIONS}
    run = site.run(site.pipeline("cordoned", jobs__dataset=there))

    assert "unschedulable" in site.wait_for_reason(run, "Unschedulable")
    _cordon(site.api, cordoned, False)
    site.wait_for_success(run)
    assert [pod["spec"]["nodeName"] for pod in site.pods(run)] == [cordoned]


@pytest.fixture
def cordoned(api: KubernetesApi, nodes: list[Object]) -> Iterator[str]:
    """A node that was cordoned for this test: the last, on which fewest pods of other tests wait to be placed."""
    name = nodes[-1]["metadata"]["name"]
    _cordon(api, name, True)
    yield name
    _cordon(api, name, False)


def _cordon(api: KubernetesApi, node: str, closed: bool) -> None:
    api.patch(NODES, node, {"spec": {"unschedulable": closed or None}})


def test_a_run_waits_while_all_nodes_are_full_and_takes_the_first_room(
    site: Site, cluster: Cluster, nodes: list[Object]
) -> None:
    fillers = _filled(ProbePods(site.api, site.namespace, bring(cluster, archive(probes.image()))), nodes)
    # Larger than what is left on any node, by memory: the pods of other tests ask for little of it.
    large = {"resources": {"requests": {"memory": "8Gi"}}, "tolerations": TOLERATIONS}
    run = site.run(site.pipeline("large", jobs__dataset=large))

    assert f"{len(nodes)} Insufficient memory" in site.wait_for_reason(run, "Unschedulable")
    site.api.delete(PODS, fillers[0], site.namespace)
    site.wait_for_success(run)
    assert [pod["spec"]["nodeName"] for pod in site.pods(run)] == [nodes[0]["metadata"]["name"]]
    site.api.delete(PODS, fillers[1], site.namespace)


def _filled(pods: ProbePods, nodes: list[Object]) -> list[str]:
    """Take the memory of each node but 6 GiB; return the pods that hold it."""
    names = []
    for node in nodes:
        free = int(node["status"]["allocatable"]["memory"].removesuffix("Ki")) - 6 * 2**20
        name = node["metadata"]["name"]
        amounts = {"requests": {"memory": f"{free}Ki"}}
        selector = {HOST: name}
        pods.create(
            f"on-{name}", "listen", str(PORT), resources=amounts, nodeSelector=selector, tolerations=TOLERATIONS
        )
        names.append(f"on-{name}")
    for name in names:
        pods.running(name)
    return names
