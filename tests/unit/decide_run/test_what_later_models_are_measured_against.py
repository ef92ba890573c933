"""The anchor on a cluster: who it is, how testing is told of it, how it is found again; and Models that are gone."""

import functools
import json
from typing import Any

import pytest

from penstock.decide.objects.folders import SPECIFICATION
from penstock.decide.pipeline.anchor import ANCHOR_SINCE
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, read_condition, step

REFRESH = {"selection": {"scoring": "roc_auc", "mustImprove": {"margin": "-0.1"}}}


def pipeline_status(cluster: ModelCluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.objects["Pipeline", "churn"]["status"]
    return found


def since(cluster: ModelCluster, model: str) -> str | None:
    found: str | None = (cluster.objects["Model", model]["metadata"].get("annotations") or {}).get(ANCHOR_SINCE)
    return found


def run_again(cluster: ModelCluster, operator: ModelOperator, number: int) -> None:
    cluster.put(examples.run(f"churn-{number}", f"{number * 11111111}-again", f"2026-03-01T1{number}:00:00Z"))
    settle(cluster, operator, f"churn-{number}")


def specifications(cluster: ModelCluster) -> list[dict[str, Any]]:
    """Return what all jobs were asked to do."""
    found = (each["data"] for each in cluster.ever("ConfigMap"))
    return [json.loads(each[SPECIFICATION]) for each in found if SPECIFICATION in each]


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> tuple[ModelCluster, ModelOperator, str]:
    """A Pipeline with a negative margin whose second Model is as good as its first, which is named."""
    even = functools.partial(examples.outcome_of_testing, difference=0.0)
    monkeypatch.setattr(examples, "outcome_of_testing", even)
    cluster, operator = apply_run(pipeline=examples.pipeline(deployment=REFRESH))
    settle(cluster, operator)
    first = pipeline_status(cluster)["servedModel"]["name"]
    run_again(cluster, operator, 2)
    return cluster, operator, first


Refreshed = tuple[ModelCluster, ModelOperator, str]


def test_a_model_that_is_not_worse_is_served_and_the_first_stays_the_anchor(refreshed: Refreshed) -> None:
    cluster, _, first = refreshed
    status = pipeline_status(cluster)

    assert (status["servedModel"]["reason"], status["servedHistory"][0]["reason"]) == ("NotWorse", "First")
    assert status["servedModel"]["name"] != first
    assert status["anchorModel"] == first
    assert since(cluster, first)
    assert since(cluster, status["servedModel"]["name"]) is None


def test_testing_is_told_of_the_anchor_beside_the_served_model(refreshed: Refreshed) -> None:
    cluster, operator, first = refreshed
    run_again(cluster, operator, 3)

    asked = specifications(cluster)
    told = [(each["served"]["name"], each["anchor"]["name"]) for each in asked if each.get("anchorName")]
    assert [anchor for _, anchor in told] == [first]
    assert told[0][0] != first


def test_testing_is_told_of_an_anchor_that_was_deleted(refreshed: Refreshed) -> None:
    cluster, operator, first = refreshed
    cluster.remove(("Model", first))
    run_again(cluster, operator, 3)

    asked = specifications(cluster)
    assert [each.get("anchor") for each in asked if each.get("anchorName") == first] == [None]
    assert pipeline_status(cluster)["anchorModel"] == first


def test_a_status_that_was_lost_finds_the_anchor_by_what_its_model_says(refreshed: Refreshed) -> None:
    cluster, operator, first = refreshed
    there = cluster.objects["Pipeline", "churn"]
    kept = {name: value for name, value in there["status"].items() if name != "anchorModel"}
    cluster.put({**there, "status": kept})
    operator.rest("churn-2")

    assert pipeline_status(cluster)["anchorModel"] == first


def test_a_status_that_was_never_written_has_the_anchor_say_so_once(refreshed: Refreshed) -> None:
    """Made each time, it would be all that an operator does that dies after each of its writes."""
    cluster, operator, first = refreshed
    written = since(cluster, first)
    for _ in range(2):
        there = cluster.objects["Pipeline", "churn"]
        cluster.put(
            {**there, "status": {name: value for name, value in there["status"].items() if name != "anchorModel"}}
        )
        cluster.advance_clock(60)
        operator.rest("churn-2")

    assert since(cluster, first) == written


def test_where_nobody_knows_the_anchor_it_is_the_model_that_is_served(refreshed: Refreshed) -> None:
    cluster, operator, first = refreshed
    there = cluster.objects["Pipeline", "churn"]
    kept = {name: value for name, value in there["status"].items() if name != "anchorModel"}
    cluster.remove(("Model", first))
    cluster.put({**there, "status": kept})
    operator.rest("churn-2")

    assert pipeline_status(cluster)["anchorModel"] == kept["servedModel"]["name"]


def test_a_model_that_is_better_is_the_anchor() -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(deployment=REFRESH))
    settle(cluster, operator)
    run_again(cluster, operator, 2)
    status = pipeline_status(cluster)

    assert status["servedModel"]["reason"] == "Improved"
    assert status["anchorModel"] == status["servedModel"]["name"]
    assert since(cluster, status["anchorModel"])


def test_testing_is_told_up_to_which_generation_the_epoch_has_decided(refreshed: Refreshed) -> None:
    cluster, _, _ = refreshed

    asked = [each for each in specifications(cluster) if each.get("job") == "testing"]
    told = {(each.get("decisionsSoFar"), each.get("decidedGeneration")) for each in asked}
    assert told == {(None, None), (1, 1)}


# --- Models that are not there ----------------------------------------------------------------------------------------


def serving(cluster: ModelCluster, **deployment: Any) -> Object:
    there = cluster.objects["Pipeline", "churn"]
    return {**there, "spec": {**there["spec"], "deployment": deployment}}


def test_a_run_whose_pipeline_pins_a_model_that_is_not_there_fails_and_says_so() -> None:
    cluster, operator = advance_to_pod(part="testing")
    cluster.put(serving(cluster, model="nope"))
    settle(cluster, operator)

    assert read_condition(cluster)[:2] == ("False", "ModelNotFound")
    assert "There is no Model nope" in step(cluster, "deployment")["message"]
    assert "servedModel" not in pipeline_status(cluster)


def test_a_run_whose_pipeline_pins_a_model_that_is_there_says_that_it_is_pinned() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    first = pipeline_status(cluster)["servedModel"]["name"]
    cluster.put(serving(cluster, model=first))
    run_again(cluster, operator, 2)

    steps = cluster.objects["PipelineRun", "churn-2"]["status"]["steps"]
    decided = next(each["deployment"] for each in steps if each["name"] == "deployment")
    assert decided["served"] == first
    assert decided["message"].startswith(f"deployment.model pins {first}.")


def test_a_challenger_that_was_deleted_is_not_proposed() -> None:
    cluster, operator = advance_to_pod(part="testing")
    for model in cluster.of("Model"):
        cluster.remove(("Model", model["metadata"]["name"]))
    settle(cluster, operator)

    assert read_condition(cluster)[:2] == ("False", "ModelNotFound")
    assert "there is no such Model any more, so nothing is served" in step(cluster, "deployment")["message"]


def test_a_pipeline_without_deployment_decides_nothing() -> None:
    cluster, operator = advance_to_pod(part="testing")
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {name: value for name, value in there["spec"].items() if name != "deployment"}})
    settle(cluster, operator)

    decided = step(cluster, "deployment")["deployment"]
    assert "verdict" not in decided
    assert "served" not in decided
    assert "nothing is decided or served" in decided["message"]


def test_a_model_is_served_however_the_seconds_pass_between_two_looks() -> None:
    cluster, operator = apply_run()
    for _ in range(12):
        operator.looks()
        operator.reconcile("churn-1")
        operator.looks()
        operator.serve()
        cluster.advance_clock(1)
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
        for each in cluster.of("Deployment"):
            cluster.roll_out(each)

    assert "servedModel" in cluster.objects["Pipeline", "churn"]["status"]
