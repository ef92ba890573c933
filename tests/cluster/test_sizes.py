"""Objects stay small, and what they say readable, however much there is to say: a large grid, a long error.

The grid is real: each candidate is fitted, in two pods.
"""

import pytest

from cluster.kubernetes_api import Object
from cluster.sites import RUNS, Site, has_ended, run_condition, step_of
from penstock.kubernetes.connection import encode
from penstock_jobs.training.ledger import read_candidates
from testcluster.cluster import Cluster
from testcluster.kubectl import Kubectl

MOST = 32 * 1024  # bytes of a status
WORKERS = 2
# What people look at: a terminal has so many lines of so many characters, and scrolls a little.
MOST_LINES, LONGEST_LINE = 250, 1200
LONG = "The pump at station 7 is stuck. "
ERROR_BYTES = 2**20


@pytest.mark.parametrize("candidates", [500, pytest.param(15_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_a_large_grid_is_fitted_in_two_pods_and_its_run_stays_small(
    site: Site, cluster: Cluster, candidates: int
) -> None:
    pipeline = site.pipeline(
        f"grid-{candidates}",
        training__algorithms=[_trees(candidates)],
        training__keep=3,
        jobs__training={"parallelism": WORKERS, "timeout": "25m"},
    )
    run = site.run(pipeline, "dataset", "training", "testing")

    ended = site.wait_until(run, has_ended, f"an end of the run of {candidates} candidates", seconds=1700)

    assert run_condition(ended)["status"] == "True", run_condition(ended)
    summary = step_of(ended, "training")["training"]
    assert (summary["total"], summary["succeeded"]) == (candidates, candidates)
    rows = [row for row in read_candidates(site.store(run)) if not row.baseline]
    assert len({row.candidate for row in rows}) == candidates
    assert all(row.error is None and row.scores for row in rows)
    assert {
        pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] for pod in site.pods(run, "training")
    } == {str(worker) for worker in range(WORKERS)}
    _assert_small(ended)
    said = _described(cluster, site, run)
    assert str(candidates) in said


def test_an_error_of_a_mebibyte_is_shown_by_its_beginning(site: Site, cluster: Cluster) -> None:
    repeated = ERROR_BYTES // len(LONG)
    query = f"SELECT *, error(repeat('{LONG}', {repeated})) AS pump FROM samples"
    run = site.run(site.pipeline("long-error", dataset__query=query))

    _, sentence = site.wait_for_failure(run)

    assert LONG.strip() in sentence
    assert 500 < len(sentence.encode()) <= 1024
    _assert_small(site.api.get(RUNS, run, site.namespace))
    assert LONG.strip() in _described(cluster, site, run)


def _trees(candidates: int) -> Object:
    """Return a grid of so many trees, each fitted in a few milliseconds."""
    values = {"max_depth": 25, "min_samples_split": 20, "min_samples_leaf": candidates // 500}
    parameters = [{"name": name, "values": list(range(2, count + 2))} for name, count in values.items()]
    return {"name": "tree", "estimator": "sklearn.tree.DecisionTreeClassifier", "parameters": parameters}


def _assert_small(run: Object) -> None:
    assert len(encode(run["status"])) <= MOST


def _described(cluster: Cluster, site: Site, run: str) -> str:
    """Return what `kubectl describe` shows of the run, which a person can read, as is its line of `kubectl get`."""
    kubectl = Kubectl(cluster.kubeconfig)
    line = kubectl("get", "pipelinerun", run, "--namespace", site.namespace).splitlines()
    assert len(line) == 2
    assert run in line[1]
    assert len(line[1]) <= LONGEST_LINE
    said = kubectl("describe", "pipelinerun", run, "--namespace", site.namespace)
    assert len(said.splitlines()) <= MOST_LINES
    assert max(map(len, said.splitlines())) <= LONGEST_LINE
    return said
