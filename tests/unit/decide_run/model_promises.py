"""What must hold of each write of the operator, at the moment at which it comes to the API server."""

from collections.abc import Container, Iterable

from penstock.decide.objects.children import NOTIFICATION, PIPELINE, REVISION, RUN_UID, STEP
from unit.decide_run.model_cluster import Key, ModelCluster, Object


def check_child(cluster: ModelCluster, made: Object, seen: Container[Key]) -> None:
    """Hold what must hold of each object that is made.

    Args:
        cluster: how it is.
        made: the object.
        seen: what the operator sees of the cluster.
    """
    labels = made["metadata"]["labels"]
    if made["kind"] == "Model":
        assert "ownerReferences" not in made["metadata"]
        return
    (owner,) = made["metadata"]["ownerReferences"]
    if owner["kind"] == "CustomResourceDefinition":
        assert RUN_UID not in labels, "a record of files would be taken for a child of its run"
        return
    assert owner["controller"]
    if NOTIFICATION in labels:
        assert owner["uid"] == labels[NOTIFICATION]
        assert not {RUN_UID, STEP} & set(labels), "what tells of a run would be taken for a part of it"
        return
    if owner["kind"] == "Pipeline":
        assert owner["uid"] == cluster.objects["Pipeline", labels[PIPELINE]]["metadata"]["uid"]
        return
    assert owner["uid"] == labels[RUN_UID]
    if made["kind"] == "Job":
        part = labels[STEP]
        assert cluster.live_jobs(labels[RUN_UID], part) == [], "a second Job of a part while one is live"
        results = recorded_parts(cluster, labels[RUN_UID])
        assert part not in results, "a Job of a part whose result is recorded"
        volumes = made["spec"]["template"]["spec"]["volumes"]
        name = next(each["configMap"]["name"] for each in volumes if each["name"] == "specification")
        # Whoever deletes it at that moment is seen later, and it is made again.
        assert ("ConfigMap", name) in seen, "a Job without its specification"


def check_turn(cluster: ModelCluster, service: Object, servers: Iterable[Object]) -> None:
    """Hold that a Service turns only to servers that were seen ready as they are to be now.

    Args:
        cluster: how it is.
        service: as it is to be.
        servers: the Deployments as the operator sees them.
    """
    now = cluster.objects.get(("Service", service["metadata"]["name"]))
    if now is not None and now["spec"]["selector"] == service["spec"]["selector"]:
        return
    revision = service["spec"]["selector"][REVISION]
    (selected,) = (each for each in servers if each["metadata"]["labels"][REVISION] == revision)
    assert selected["status"]["observedGeneration"] == selected["metadata"]["generation"]
    assert selected["status"]["availableReplicas"] >= selected["spec"]["replicas"] > 0
    assert revision in cluster.once_ready


def recorded_parts(cluster: ModelCluster, uid: str) -> set[str]:
    """Return the parts whose results are recorded."""
    for each in cluster.of("ConfigMap"):
        labels = each["metadata"]["labels"]
        if labels.get(RUN_UID) == uid and STEP not in labels:
            return {name.removesuffix(".json") for name in each.get("data") or {}}
    return set()
