"""A Job in a queue of Kueue: held back until there is quota, in Kueue's own words, and then done."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from cluster.kubernetes_api import NAMESPACES, Object, Resource
from cluster.sites import Site
from testcluster.addons import kueue

pytestmark = pytest.mark.needs("kueue")
ALONE = True  # Kueue manages its namespace

FLAVORS = Resource("kueue.x-k8s.io/v1beta2", "resourceflavors", namespaced=False)
CLUSTER_QUEUES = Resource("kueue.x-k8s.io/v1beta2", "clusterqueues", namespaced=False)
PRIORITIES = Resource("scheduling.k8s.io/v1", "priorityclasses", namespaced=False)
QUOTA = "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota"
ASKED = {"requests": {"cpu": "100m", "memory": "256Mi"}}


@pytest.fixture
def queue(site: Site) -> Iterator[str]:
    """A queue without any quota of processors."""
    name = f"penstock-test-{uuid4().hex[:8]}"
    site.api.patch(NAMESPACES, site.namespace, {"metadata": {"labels": {kueue.NAMESPACE_LABEL: "true"}}})
    resources = [{"name": "cpu", "nominalQuota": "0"}, {"name": "memory", "nominalQuota": "1Gi"}]
    groups = [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": name, "resources": resources}]}]
    here = {"matchLabels": {"kubernetes.io/metadata.name": site.namespace}}
    spec = {
        "namespaceSelector": here,
        "resourceGroups": groups,
        "preemption": {"withinClusterQueue": "LowerPriority"},
    }
    made: Object = {"apiVersion": CLUSTER_QUEUES.api_version, "metadata": {"name": name}}
    try:
        site.api.create({**made, "kind": "ResourceFlavor"})
        site.api.create({**made, "kind": "ClusterQueue", "spec": spec})
        site.api.create({**made, "kind": "LocalQueue", "spec": {"clusterQueue": name}}, site.namespace)
        yield name
    finally:
        for resource in (CLUSTER_QUEUES, FLAVORS):
            site.api.delete(resource, name)


def raise_quota(site: Site, queue: str, processors: str) -> None:
    change = {"op": "replace", "path": QUOTA, "value": processors}
    site.api.patch(CLUSTER_QUEUES, queue, [change], kind="json")


def test_a_run_waits_for_quota_of_its_queue_in_kueues_words_and_goes_on_when_there_is_some(
    site: Site, queue: str
) -> None:
    run = site.run(site.pipeline("queued", jobs__dataset={"queueName": queue, "resources": ASKED}))

    assert "insufficient quota for cpu" in site.wait_for_reason(run, "Queued", "insufficient")
    assert site.pods(run) == []
    raise_quota(site, queue, "1")
    site.wait_for_success(run)
    assert len(site.jobs(run)) == len(site.pods(run)) == 1
