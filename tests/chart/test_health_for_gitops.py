"""Argo CD and Flux show a Pipeline and its run as they are, and agree; the statuses are those that the operator writes.

Neither knows `Succeeded`: what they go by is `observedGeneration`, `Ready`, `Reconciling` and `Stalled`.
"""

from typing import Any

import pytest

from chart.gitops_tools import Health, Object, health_of
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of

# What Argo CD says, and what Flux says of the same object.
SAME = {"Healthy": "Current", "Progressing": "InProgress", "Suspended": "InProgress", "Degraded": "Failed"}


def run_of(cluster: ModelCluster) -> Object:
    return cluster.objects["PipelineRun", "churn-1"]


def pipeline_of(cluster: ModelCluster) -> Object:
    return cluster.objects["Pipeline", "churn"]


def health(there: Object) -> Health:
    """Return the health of one object, on which both tools must agree."""
    (found,) = health_of(there)
    assert SAME[found.argocd] == found.flux
    return found


def test_a_run_that_works_is_on_its_way() -> None:
    cluster, operator = advance_to_pod()
    operator.rest("churn-1")

    assert health(run_of(cluster)).argocd == "Progressing"


def test_a_run_that_waits_is_on_its_way_and_says_what_for() -> None:
    cluster, operator = advance_to_pod()
    cluster.unschedulable(pod_of(cluster), "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")
    operator.rest("churn-1")

    assert health(run_of(cluster)).argocd == "Progressing"
    assert "Insufficient nvidia.com/gpu" in health(run_of(cluster)).message


def test_a_run_that_succeeded_is_well_and_so_is_its_pipeline() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)

    assert health(run_of(cluster)).argocd == "Healthy"
    assert health(pipeline_of(cluster)).argocd == "Healthy"
    assert "is served" in health(pipeline_of(cluster)).message


def test_a_run_that_failed_is_degraded_in_the_words_of_its_job() -> None:
    cluster, operator = advance_to_pod()
    for _ in range(2):
        cluster.end(pod_of(cluster), 2, "The column left is missing; add it.")
        control_jobs(cluster)
        if all(cluster.is_over(job) for job in cluster.of("Job")):
            break
    operator.rest("churn-1")

    assert health(run_of(cluster)).argocd == "Degraded"
    assert "The dataset step failed" in health(run_of(cluster)).message


def test_a_run_that_was_cancelled_is_degraded() -> None:
    cluster, operator = advance_to_pod()
    change_spec(cluster, ("PipelineRun", "churn-1"), cancel=True)
    operator.rest("churn-1")
    cluster.remove(("Pod", pod_of(cluster)["metadata"]["name"]))
    operator.rest("churn-1")

    assert health(run_of(cluster)).argocd == "Degraded"


def test_a_run_that_is_suspended_is_suspended() -> None:
    cluster, operator = apply_run(run=examples.run(suspend=True))
    operator.rest("churn-1")

    assert health(run_of(cluster)).argocd == "Suspended"
    assert "spec.suspend" in health(run_of(cluster)).message


def change_spec(cluster: ModelCluster, key: tuple[str, str], **fields: Any) -> None:
    """Change a spec, and with it the generation, as the API server does."""
    there = cluster.objects[key]
    metadata = {**there["metadata"], "generation": there["metadata"]["generation"] + 1}
    cluster.put({**there, "metadata": metadata, "spec": {**there["spec"], **fields}})


@pytest.mark.parametrize("key", [("PipelineRun", "churn-1"), ("Pipeline", "churn")])
def test_what_has_just_been_applied_is_not_taken_for_done(key: tuple[str, str]) -> None:
    cluster, _ = apply_run()
    there = cluster.objects[key]

    # As the API server returns it: the schema has a default for the status.
    assert health({**there, "status": {"observedGeneration": -1}}).argocd == "Progressing"


@pytest.mark.parametrize("change", [{"suspend": True}, {"cancel": True}])
def test_a_change_of_a_run_that_has_ended_is_seen(change: dict[str, bool]) -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    change_spec(cluster, ("PipelineRun", "churn-1"), **change)

    assert health(run_of(cluster)).argocd == "Progressing"
    operator.rest("churn-1")
    assert health(run_of(cluster)).argocd == "Healthy"


def test_a_change_of_a_pipeline_is_on_its_way_until_it_was_looked_at() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    change_spec(cluster, ("Pipeline", "churn"), displayName="Churn")

    assert health(pipeline_of(cluster)).argocd == "Progressing"
    operator.rest("churn-1")
    assert health(pipeline_of(cluster)).argocd == "Healthy"


@pytest.mark.parametrize(
    "change",
    [{"jobs": [{"name": "training", "profile": "huge"}]}, {"deployment": {"model": "gone"}}],
    ids=["spec", "model"],
)
def test_a_pipeline_that_cannot_work_is_degraded(change: dict[str, Any]) -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(**change))
    operator.looks()
    operator.serve()

    assert health(pipeline_of(cluster)).argocd == "Degraded"


def test_a_pipeline_without_a_model_holds_up_no_later_wave_of_the_same_sync() -> None:
    """Argo CD goes on to the next wave, in which the first run may be, once all of this one is Healthy."""
    cluster, operator = apply_run()
    operator.looks()
    operator.serve()

    (found,) = health_of(pipeline_of(cluster))
    assert (found.argocd, found.flux) == ("Healthy", "InProgress")
    assert "No Model has been selected yet" in found.message


def test_a_pinned_model_that_does_not_come_up_degrades_its_pipeline_while_the_old_one_serves() -> None:
    cluster, operator = apply_run()
    first = settled_model(cluster, operator)
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    settle(cluster, operator, "churn-2")
    change_spec(cluster, ("Pipeline", "churn"), deployment={"model": first}, models={"trustedTypes": ["own.Thing"]})
    for _ in range(3):
        operator.rest("churn-2")
        for each in cluster.of("Deployment"):
            if each["spec"]["replicas"] and not each.get("status"):
                cluster.roll_out(each, well=False)

    assert health(pipeline_of(cluster)).argocd == "Degraded"


def settled_model(cluster: ModelCluster, operator: ModelOperator) -> str:
    settle(cluster, operator)
    return str(pipeline_of(cluster)["status"]["servedModel"]["name"])


def test_a_model_is_well_and_says_what_serves_it() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    (model,) = cluster.of("Model")

    assert health(model).message == "Served by churn."
    assert health({**model, "status": {}}).message == "Kept, and served by nothing."


@pytest.mark.parametrize(
    ("suspend", "conditions", "expected"),
    [
        (False, [{"type": "Ready", "status": "True", "reason": "Scheduled", "message": "."}], "Healthy"),
        (False, [{"type": "Stalled", "status": "True", "reason": "Invalid", "message": "."}], "Degraded"),
        (True, [{"type": "Reconciling", "status": "True", "reason": "Suspended", "message": "."}], "Suspended"),
    ],
)
def test_a_trigger_is_shown_by_its_conditions(suspend: bool, conditions: list[Object], expected: str) -> None:
    trigger = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Trigger",
        "metadata": {"name": "nightly", "generation": 1},
        "spec": {"suspend": suspend},
        "status": {"observedGeneration": 1, "conditions": conditions},
    }

    assert health(trigger).argocd == expected
