"""A pod that is taken away in the middle of its work is made again by the same Job, and costs no try."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from cluster.hand_made_runs import SLOW_QUERY, ends_of
from cluster.kubernetes_api import NODES, PODS, KubernetesApi, Object, Resource
from cluster.probe_pods import PORT, ProbePods
from cluster.sites import Site, step_of
from testcluster import probes
from testcluster.addons.archive import archive
from testcluster.bringing import bring
from testcluster.cluster import Cluster
from testcluster.nodes import real_nodes

PRIORITIES = Resource("scheduling.k8s.io/v1", "priorityclasses", namespaced=False)

ONCE = {"retries": {"limit": 0}}  # so that a try too many would be a failure


@pytest.fixture(params=["evicted", "deleted", "deleted at once"])
def taken(site: Site, request: pytest.FixtureRequest) -> tuple[str, Object, str]:
    """A run whose pod was taken away while its container ran; that pod; and what is its Job."""
    how = request.param
    name = how.replace(" ", "-")
    run = site.run(site.pipeline(name, dataset__query=SLOW_QUERY, jobs__dataset=ONCE))
    pod = site.running(run, "dataset")
    (job,) = site.jobs(run)
    if how == "evicted":
        site.api.evict(pod["metadata"]["name"], site.namespace)
    else:
        seconds = 0 if how == "deleted at once" else None
        site.api.delete(PODS, pod["metadata"]["name"], site.namespace, grace_seconds=seconds)
    return run, pod, job["metadata"]["uid"]


def test_a_run_goes_on_with_another_pod_of_the_same_job(site: Site, taken: tuple[str, Object, str]) -> None:
    run, first, job = taken
    done = site.wait_for_success(run)

    assert step_of(done, "dataset")["state"] == "Succeeded"
    assert [each["metadata"]["uid"] for each in site.jobs(run)] == [job]
    good = [each.pod["metadata"]["uid"] for each in ends_of(site.pods(run)) if each.code == 0]
    assert len(good) == 1
    assert good != [first["metadata"]["uid"]]


def test_a_run_makes_room_for_a_pod_of_higher_priority_and_goes_on_after_it(
    site: Site, cluster: Cluster, place: str
) -> None:
    limits = {"limits": {place: "1"}}
    template = {"spec": {"containers": [{"name": "job", "resources": limits}]}}
    run = site.run(site.pipeline("modest", dataset__query=SLOW_QUERY, jobs__dataset=ONCE | {"podTemplate": template}))
    first = site.running(run, "dataset")
    pods = ProbePods(site.api, site.namespace, bring(cluster, archive(probes.image())))
    urgent = pods.create("urgent", "listen", str(PORT), resources=limits, priorityClassName=_class(place))

    assert f"Insufficient {place}" in site.wait_for_reason(run, "Unschedulable")
    pods.running(urgent)
    site.api.delete(PODS, urgent, site.namespace)
    site.wait_for_success(run)
    assert len(site.jobs(run)) == 1
    assert first["metadata"]["uid"] not in {
        each.pod["metadata"]["uid"] for each in ends_of(site.pods(run)) if each.code == 0
    }


@pytest.fixture
def place(api: KubernetesApi) -> Iterator[str]:
    """A resource of which one node has one, and a class of priority of the same name: nobody else asks for either."""
    name = f"penstock.dev/place-{uuid4().hex[:8]}"
    node = real_nodes(api.objects(NODES))[0]["metadata"]["name"]
    made: Object = {"apiVersion": PRIORITIES.api_version, "kind": "PriorityClass", "value": 1000}
    api.create(made | {"metadata": {"name": _class(name)}})
    _offer(api, node, name, "1")
    yield name
    _offer(api, node, name, None)
    api.delete(PRIORITIES, _class(name))


def _class(place: str) -> str:
    return place.replace("/", ".")


def _offer(api: KubernetesApi, node: str, resource: str, amount: str | None) -> None:
    change: Object = {"status": {kind: {resource: amount} for kind in ("capacity", "allocatable")}}
    api.patch(NODES, node, change, beneath="status")
