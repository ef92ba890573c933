"""Which cluster the tests use."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

GIVEN = "PENSTOCK_TEST_CLUSTER"


@dataclass(frozen=True)
class Cluster:
    kubeconfig: Path


def which_cluster() -> Cluster:
    if os.environ.get(GIVEN):
        return Cluster(Path(os.environ[GIVEN]))
    pytest.skip("no cluster is up: `make cluster` starts one and leaves it up, `make test` starts one for the tests")
