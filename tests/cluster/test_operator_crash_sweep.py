"""The operator dies after any of its writes, and is started again: the end is the same, and nothing is done twice.

The API server, the Job controller and the operator are real; pods are played.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.api_proxy import ProxyRequest
from cluster.kubernetes_api import KubernetesApi
from cluster.operator_process import OperatorProcess
from cluster.sites import RUNS, has_ended, run_condition
from cluster.stages import STEPS, Stage
from cluster.stages import stage as a_stage
from testcluster.cluster import Cluster

MOST_WRITES = 40  # of one run of four jobs, Events apart: 31 on a quiet machine until its end, and 3 deletions
LEAST_WRITES = 28  # whatever is gathered into one write where the machine is slow
MOST_LOOKS = {"PipelineRun": 24, "Pipeline": 16}  # 16 and 10 on a quiet machine
MOST_LIVES = 60  # a sweep that never ends is no sweep


@pytest.fixture
def stage(api: KubernetesApi, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    with a_stage(api, cluster, namespace, tmp_path) as made:
        yield made


def test_a_run_of_all_jobs_ends_with_its_model_served(stage: Stage) -> None:
    with stage.operator() as operator:
        operator.wait_until_ready()
        run = stage.apply_run("churn-1")
        ended = stage.wait_until_ended("churn-1")

    assert run_condition(ended)["status"] == "True", run_condition(ended)
    stage.assert_done_once(run)


def test_a_run_costs_a_bounded_number_of_looks_and_writes(stage: Stage) -> None:
    with stage.operator() as operator:
        operator.wait_until_ready()
        stage.apply_run("churn-1")
        stage.wait_until_ended("churn-1")
        _, metrics = operator.ask("/metrics")

    for kind, most in MOST_LOOKS.items():
        assert 0 < _total(metrics, f'penstock_reconcile_seconds_count{{kind="{kind}"}}') <= most
    events = _total(metrics, 'penstock_api_writes_total{kind="Event",verb="create"}')
    assert _total(metrics, "penstock_api_writes_total") - events <= MOST_WRITES


def _total(metrics: str, name: str) -> float:
    """Return the sum of all lines of that name."""
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name))


def _killing(operator: OperatorProcess, after: int) -> Callable[[ProxyRequest], None]:
    """Return what kills the operator once so many writes have passed and one more comes."""
    seen: list[ProxyRequest] = []

    def kill(asked: ProxyRequest) -> None:
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
    while not has_ended(stage.api.get(RUNS, "churn-1", stage.namespace)) and lives < MOST_LIVES:
        lives += 1
        with stage.operator() as operator:
            setattr(stage.proxy, when, _killing(operator, after=1 if when == "before" else 0))
            stage.wait_until_killed_or_ended(operator, "churn-1")

    ended = stage.wait_until_ended("churn-1")
    assert run_condition(ended)["status"] == "True", run_condition(ended)
    assert lives > len(STEPS)
    stage.assert_done_once(run)


def life_and_death(stage: Stage, when: str, k: int) -> bool:
    """Let an operator die at its k-th write, and another one end the run; return whether there were so many."""
    run = stage.apply_run("churn-1")
    with stage.operator() as operator:
        setattr(stage.proxy, when, _killing(operator, after=k - 1))
        stage.wait_until_killed_or_ended(operator, "churn-1")
        died = operator.process.poll() is not None
    setattr(stage.proxy, when, lambda asked: None)
    with stage.operator():
        ended = stage.wait_until_ended("churn-1")
        assert run_condition(ended)["status"] == "True", (k, run_condition(ended))
        stage.wait_until_served("churn-1")
    stage.assert_done_once(run)
    return died


@pytest.mark.parametrize(("when", "k"), [("before", 3), ("after", 12), ("after", 27)])
def test_killed_once_at_a_write_another_comes_to_the_same_end(stage: Stage, when: str, k: int) -> None:
    assert life_and_death(stage, when, k)


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("k", range(1, MOST_WRITES + 1))
def test_killed_once_at_any_write_of_a_whole_run_another_comes_to_the_same_end(stage: Stage, when: str, k: int) -> None:
    died = life_and_death(stage, when, k)

    assert died or k > LEAST_WRITES
