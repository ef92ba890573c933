"""Which cluster the tests use: the one that `make test` brought up for them, else the one that is up."""

import json
import os
from pathlib import Path

import pytest
import urllib3

from cluster.kubernetes_api import ApiRefused, connect
from testcluster.choice import find
from testcluster.cluster import Cluster, ClusterNode
from testcluster.sentences import Lacking

BROUGHT_UP = "PENSTOCK_TEST_CLUSTER"  # set by `python -m testcluster run`: the document of its cluster
WHAT_TO_DO = "No cluster is up: `make cluster` leaves one up, and `make test` brings one up for the tests."


def which_cluster() -> Cluster:
    """Return the cluster. Without one, the test fails where a cluster was promised, and is skipped where none was."""
    if document := os.environ.get(BROUGHT_UP):
        return _require_promised(Path(document))
    try:
        found = find()
    except Lacking as lacking:
        pytest.skip(str(lacking))
    if found is None:
        pytest.skip(WHAT_TO_DO)
    return found[1]


def _require_promised(document: Path) -> Cluster:
    found = json.loads(document.read_text())
    nodes = tuple(ClusterNode(**node) for node in found["nodes"])
    cluster = Cluster(found["provider"], Path(found["kubeconfig"]), nodes)
    try:
        connect(cluster.kubeconfig).request("GET", "/readyz")
    except (ApiRefused, urllib3.exceptions.HTTPError, OSError) as error:
        pytest.fail(f"The cluster that was brought up for the tests does not answer: {error}", pytrace=False)
    return cluster
