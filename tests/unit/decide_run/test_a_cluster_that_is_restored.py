"""A status is a cache: into an empty cluster everything comes back without one, and nothing is done again."""

from typing import Any

import pytest

from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, OperatorKilled, advance, settle
from unit.decide_run.runs_at_work import apply_run

NOTIFICATIONS = [{"name": "team", "url": {"secretName": "hook"}, "events": ["RunSucceeded", "RunFailed"]}]


def settled(*later: Object, workers: int = 1, **spec: Any) -> ModelCluster:
    """Return a cluster in which these runs, after the first, have ended, and a Model is served."""
    cluster, operator = apply_run(pipeline=examples.pipeline(workers, **spec))
    settle(cluster, operator)
    for each in later:
        cluster.put(each)
        settle(cluster, operator, each["metadata"]["name"])
    work(cluster, operator)
    return cluster


def work(cluster: ModelCluster, operator: ModelOperator, *names: str) -> None:
    for _ in range(8):
        for name in names or [each["metadata"]["name"] for each in cluster.of("PipelineRun")]:
            operator.rest(name)
        advance(cluster)


def restore(cluster: ModelCluster, *first: str) -> ModelCluster:
    """Return another cluster, beside the same storage, after the operator has worked; on these runs first."""
    other = cluster.restored()
    operator = ModelOperator(other)
    if first:
        work(other, operator, *first)
    settle(other, operator, *(each["metadata"]["name"] for each in other.of("PipelineRun")))
    work(other, operator)
    return other


def succeeded(cluster: ModelCluster, name: str = "churn-1") -> tuple[str, str, str]:
    conditions = cluster.objects["PipelineRun", name]["status"]["conditions"]
    found = next(each for each in conditions if each["type"] == "Succeeded")
    return found["status"], found["reason"], found["message"]


def status_of_pipeline(cluster: ModelCluster) -> Any:
    return cluster.objects["Pipeline", "churn"]["status"]


def another(name: str, **spec: Any) -> Object:
    return examples.run(name, f"uid-of-{name}", "2026-03-01T13:00:00Z", **spec)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_that_ended_is_not_run_again_and_has_its_results_back(workers: int) -> None:
    before = settled(workers=workers)
    computed = list(before.computed)
    ended = before.objects["PipelineRun", "churn-1"]["status"]

    after = restore(before)

    assert after.computed == computed
    status, reason, message = succeeded(after)
    assert (status, reason) == ("True", "BegunBefore")
    assert "s3://ml-team/churn/runs/churn-1" in message
    assert "apply it under another name, or with generateName" in message
    back = after.objects["PipelineRun", "churn-1"]["status"]
    assert back["executionName"] == ended["executionName"]
    for name, known in zip(("dataset", "training", "testing"), ended["steps"], strict=False):
        step = next(each for each in back["steps"] if each["name"] == name)
        assert step[name] == known[name]
    decided = [each["deployment"]["verdict"] for each in (back["steps"][3], ended["steps"][3])]
    assert decided[0] == decided[1]


def test_the_api_is_up_again_with_the_model_that_was_served() -> None:
    before = settled(another("churn-2"))
    served = status_of_pipeline(before)["servedModel"]

    after = restore(before)

    assert status_of_pipeline(after)["servedModel"]["name"] == served["name"]
    assert status_of_pipeline(after)["servedModel"]["startTime"] == served["startTime"]
    (deployment,) = (each for each in after.of("Deployment") if each["spec"]["replicas"])
    assert deployment["metadata"]["labels"]["penstock.dev/model"] == served["name"]
    ready = next(each for each in status_of_pipeline(after)["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "ModelServed")


def test_which_models_were_served_before_is_found_again() -> None:
    before = settled(another("churn-2"))
    after = restore(before)

    (known,), (found,) = (status_of_pipeline(each)["servedHistory"] for each in (before, after))
    assert found == {name: known[name] for name in ("name", "startTime", "endTime")}


def test_how_often_the_testing_set_has_decided_is_counted_again() -> None:
    before = settled(another("churn-2"))
    after = restore(before)
    assert status_of_pipeline(after)["testingUses"] == status_of_pipeline(before)["testingUses"]


def test_nobody_is_told_again_of_an_end_that_was_told_then() -> None:
    before = settled(notifications=NOTIFICATIONS)
    assert before.posted
    assert restore(before).posted == []


@pytest.mark.parametrize("first", ["churn-1", "other"])
def test_runs_that_shared_a_name_find_their_own_whichever_comes_first(first: str) -> None:
    before = settled(another("other", executionName="churn-1"))
    names = {each["metadata"]["name"]: each["status"]["executionName"] for each in before.of("PipelineRun")}
    assert names == {"churn-1": "churn-1", "other": "churn-1_2"}
    computed = list(before.computed)

    after = restore(before, first)

    assert after.computed == computed
    assert {each["metadata"]["name"]: each["status"]["executionName"] for each in after.of("PipelineRun")} == names


def test_a_run_that_asks_for_something_else_under_the_old_name_is_another_run() -> None:
    before = settled()
    before.change(("PipelineRun", "churn-1"), spec={"pipelineRef": {"name": "churn"}, "jobs": [{"name": "dataset"}]})

    after = restore(before)

    assert succeeded(after)[:2] == ("True", "Succeeded")
    assert after.objects["PipelineRun", "churn-1"]["status"]["executionName"] == "churn-1_2"


def test_a_run_that_had_failed_is_not_tried_again_and_says_at_which_step_it_ended() -> None:
    before, operator = apply_run()
    operator.rest("churn-1")
    advance(before)
    operator.rest("churn-1")
    for job in before.of("Job"):
        before.control(job)
    for pod in list(before.live_pods()):
        before.end(pod, 2, "boom")
    settle(before, operator)
    assert succeeded(before)[0] == "False"
    computed = list(before.computed)

    after = restore(before)

    assert after.computed == computed
    status, reason, message = succeeded(after)
    assert (status, reason) == ("False", "BegunBefore")
    assert "without a result of training" in message
    states = [each["state"] for each in after.objects["PipelineRun", "churn-1"]["status"]["steps"]]
    assert states == ["Succeeded", "Failed", "Skipped", "Skipped"]


def test_an_operator_that_is_killed_while_it_takes_a_run_over_takes_it_over_afterwards() -> None:
    before = settled()
    computed = list(before.computed)
    for lives in range(1, 12):
        after = before.restored()
        operator = ModelOperator(after)
        for _ in range(3):
            operator.lives = lives
            try:
                operator.rest("churn-1")
                advance(after)
            except OperatorKilled:
                operator = operator.restart()
        settle(after, operator)
        assert after.computed == computed
        assert succeeded(after)[:2] == ("True", "BegunBefore")


def test_a_run_whose_status_alone_is_lost_keeps_its_execution_name() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    cluster.put(another("other", executionName="churn-1"))
    settle(cluster, operator, "other")
    computed = list(cluster.computed)
    for name in ("churn-1", "other"):
        there = cluster.objects["PipelineRun", name]
        cluster.put({key: value for key, value in there.items() if key != "status"})

    settle(cluster, operator, "other")
    settle(cluster, operator, "churn-1")

    names = [each["status"]["executionName"] for each in cluster.of("PipelineRun")]
    assert names == ["churn-1", "churn-1_2"]
    assert cluster.computed == computed


def test_a_pin_that_is_taken_away_after_the_status_was_lost_leads_back_to_the_model_selected_last() -> None:
    before = settled(another("churn-2"))
    selected = status_of_pipeline(before)["servedModel"]["name"]
    other = next(each["metadata"]["name"] for each in before.of("Model") if each["metadata"]["name"] != selected)
    there = before.objects["Pipeline", "churn"]
    before.put({**there, "spec": {**there["spec"], "deployment": {"model": other}}})
    work(before, ModelOperator(before).restart())
    assert status_of_pipeline(before)["servedModel"]["name"] == other
    after = restore(before)
    assert status_of_pipeline(after)["servedModel"]["name"] == other

    there = after.objects["Pipeline", "churn"]
    after.put({**there, "spec": {**there["spec"], "deployment": {}}})
    work(after, ModelOperator(after).restart())

    assert status_of_pipeline(after)["servedModel"]["name"] == selected
