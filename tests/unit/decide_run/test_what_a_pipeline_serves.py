"""A Pipeline and its runs together: edited, deleted, pinned, and its servers that come up or do not."""

from typing import Any

import pytest

from penstock.decide.pipeline.reconcile import decide as decide_pipeline
from penstock.decide.serving import FIRST_MODEL
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_operator import advance, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, read_condition


def test_a_pipeline_that_is_edited_in_the_middle_does_not_change_the_run() -> None:
    cluster, operator = advance_to_pod()
    there = cluster.objects["Pipeline", "churn"]
    spec = {**there["spec"], "storage": {"s3": {"bucket": "elsewhere"}}}
    cluster.put({**there, "spec": spec})

    run = settle(cluster, operator)

    assert run["status"]["storage"] == "s3://ml-team/churn/runs/churn-1"
    assert read_condition(cluster)[0] == "True"


def test_a_pipeline_that_is_deleted_in_the_middle_lets_the_run_make_its_model_and_fail_to_deploy_it() -> None:
    cluster, operator = advance_to_pod()
    cluster.objects.pop(("Pipeline", "churn"))

    settle(cluster, operator)

    assert read_condition(cluster)[:2] == ("False", "PipelineDeleted")
    assert len(cluster.of("Model")) == 1


def test_a_model_whose_servers_do_not_come_up_leaves_the_old_one_serving_and_the_run_says_why() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    first = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    for _ in range(30):
        operator.rest("churn-2")
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
        for each in cluster.of("Deployment"):
            if each["metadata"]["labels"]["penstock.dev/model"] != first:
                cluster.roll_out(each, well=False)

    served = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]
    condition = cluster.objects["PipelineRun", "churn-2"]["status"]["conditions"][0]
    assert served == first
    assert (condition["status"], condition["reason"]) == ("False", "ModelNotReady")
    assert f"{first} stays" in condition["message"]


def test_a_second_model_takes_over_only_when_it_is_ready_and_the_first_is_let_go_after_that() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    first = cluster.objects["Service", "churn"]["spec"]["selector"]
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    for _ in range(10):
        operator.rest("churn-2")
        control_jobs(cluster)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
    assert cluster.objects["Service", "churn"]["spec"]["selector"] == first
    assert {each["spec"]["replicas"] for each in cluster.of("Deployment")} == {1}

    settle(cluster, operator, "churn-2")

    pipeline = cluster.objects["Pipeline", "churn"]["status"]
    assert cluster.objects["Service", "churn"]["spec"]["selector"] != first
    assert sorted(each["spec"]["replicas"] for each in cluster.of("Deployment")) == [0, 1]
    assert pipeline["servedModel"]["selectedBy"] == "churn-2"
    assert [each["selectedBy"] for each in pipeline["servedHistory"]] == ["churn-1"]


def test_a_pin_is_the_way_back_and_its_removal_returns_to_the_model_last_selected() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    first = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]
    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    settle(cluster, operator, "churn-2")
    second = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]

    for pin, expected in ((first, first), (None, second)):
        there = cluster.objects["Pipeline", "churn"]
        cluster.put({**there, "spec": {**there["spec"], "deployment": {"model": pin} if pin else {}}})
        for _ in range(3):
            operator.rest("churn-2")
            advance(cluster)
        operator.rest("churn-2")
        assert cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"] == expected


@pytest.mark.parametrize(
    ("change", "reason", "sentence"),
    [
        ({"jobs": [{"name": "training", "profile": "huge"}]}, "Invalid", "no such profile"),
        ({"deployment": {"model": "gone"}}, "ModelNotFound", "There is no Model gone"),
        ({}, "NoModel", "No Model has been selected yet"),
    ],
)
def test_a_pipeline_says_why_it_is_not_ready(change: dict[str, Any], reason: str, sentence: str) -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(**change))
    operator.looks()

    decision = decide_pipeline(operator.pipeline_observation(operator.seen["Pipeline", "churn"]), cluster.now)

    assert decision.status is not None
    ready = decision.status.conditions[0]  # type: ignore[attr-defined]
    assert (ready.status, ready.reason) == ("False", reason)
    assert sentence in ready.message


def test_a_run_whose_pipeline_takes_no_model_says_what_is_to_be_mended_and_goes_on_after_that() -> None:
    cluster, operator = advance_to_pod()
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "jobs": [{"name": "deployment", "profile": "huge"}]}})
    for _ in range(20):
        operator.rest("churn-1")
        advance(cluster)
    waits = read_condition(cluster)

    cluster.put({**cluster.objects["Pipeline", "churn"], "spec": there["spec"]})
    operator.rest("churn-1")
    goes_on = read_condition(cluster)
    settle(cluster, operator)

    assert "The Pipeline takes no Model" not in goes_on[2]
    assert waits[:2] == ("Unknown", "Proposed")
    assert "The Pipeline takes no Model: spec.jobs[deployment].profile" in waits[2]
    assert read_condition(cluster)[0] == "True"


def test_a_pipeline_that_has_another_name_now_serves_what_it_served_until_a_run_selects_a_model() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    served = cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"]
    cluster.objects.pop(("Pipeline", "churn"))
    for kind in ("Deployment", "Service"):
        for each in cluster.of(kind):
            cluster.remove((kind, each["metadata"]["name"]))
    copied = examples.pipeline()
    copied["metadata"] |= {"uid": "u-copy", "annotations": {FIRST_MODEL: served}}
    cluster.put(copied)
    for _ in range(3):
        operator.rest("churn-1")
        advance(cluster)
    operator.rest("churn-1")
    assert cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"] == served

    cluster.put(examples.run("churn-2", "22222222-second", "2026-03-01T13:00:00Z"))
    settle(cluster, operator, "churn-2")

    assert cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["selectedBy"] == "churn-2"
