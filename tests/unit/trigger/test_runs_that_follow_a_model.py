"""A test of the served Model on newer points that is beyond the bound starts a run, once, and nothing in a circle."""

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from unit.trigger.trigger_cluster import OperatorKilled, TriggerCluster, TriggerOperator

SPEC: dict[str, Any] = {
    "dataset": {"inputs": [{"name": "rows", "uri": "s3://lake/rows.csv"}], "target": {"column": "y"}},
    "training": {"scoring": {"name": "accuracy"}, "algorithms": [{"name": "tree", "estimator": "sklearn.tree.T"}]},
    "testing": {
        "scoring": [
            {"name": "roc_auc"},
            {"name": "neg_log_loss"},
            {"name": "cost", "function": "own.cost", "greaterIsBetter": False},
        ]
    },
}
AT_LEAST: dict[str, Any] = {"model": {"scoring": "roc_auc", "minimum": "0.8"}}


def serve(cluster: TriggerCluster, model: str | None, pipeline: str = "churn") -> None:
    known = cluster.api.objects[cluster._path("pipelines", pipeline)]
    served = None if model is None else {"name": model, "startTime": "2026-03-01T00:00:00Z"}
    cluster.api.put(known | {"status": {} if served is None else {"servedModel": served}})


def report(
    cluster: TriggerCluster, name: str, model: str = "churn-1", score: float | None = 0.7, points: int = 200
) -> None:
    """Let a run end that has tested a Model on so many points newer than it."""
    cluster.finish(name)
    scores = [] if score is None else [{"name": "roc_auc", "value": repr(score)}]
    tested = {"newPoints": {"model": model, "points": points, "scores": scores}}
    run = cluster.run(name)
    steps = [{"name": "testing", "state": "Succeeded", "testing": tested}]
    cluster.api.put(run | {"status": run["status"] | {"steps": steps}})


def let_test(cluster: TriggerCluster, name: str, **what: Any) -> None:
    """Let a person's run test the served Model."""
    cluster.now += timedelta(seconds=1)
    cluster.apply_run(name)
    report(cluster, name, **what)


def start_with(served: str | None = "churn-1", **spec: Any) -> tuple[TriggerCluster, TriggerOperator]:
    cluster = TriggerCluster()
    cluster.apply_pipeline(**SPEC)
    serve(cluster, served)
    cluster.apply_trigger(**{**AT_LEAST, **spec})
    operator = TriggerOperator(cluster)
    operator.settle()
    return cluster, operator


def message(cluster: TriggerCluster, name: str = "nightly") -> str:
    found = next(each for each in cluster.status(name)["conditions"] if each["type"] == "Ready")
    return str(found["message"])


def test_a_score_below_the_minimum_starts_a_run_once() -> None:
    cluster, operator = start_with()
    let_test(cluster, "tests-1")
    operator.settle()
    (name,) = cluster.created
    assert cluster.live() == [name]
    assert cluster.reasons() == [("Fired", "ModelWorse")]
    event = cluster.run(name)["spec"]["trigger"]["event"]
    assert (event["source"], event["type"]) == ("tests-1", "dev.penstock.model.worse")

    cluster.finish(name)
    operator.wait(7200)
    TriggerOperator(cluster).settle()
    assert cluster.created == [name]
    assert "churn-1 has roc_auc 0.7 on 200 points newer than it, below the minimum of 0.8." in message(cluster)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"score": 0.8}, "By the run tests-1, churn-1 has roc_auc 0.8 on 200 points newer than it, within the bound."),
        ({"points": 99}, "The run tests-1 tested churn-1 on 99 points newer than it; at least 100 are needed."),
        (
            {"score": None},
            "The run tests-1 tested churn-1 on 200 points newer than it, and roc_auc has no number there.",
        ),
        ({"model": "churn-0"}, "No run has tested churn-1, which is served, on points newer than it; "),
    ],
)
def test_what_is_no_reason_for_a_run_is_told_with_the_numbers(what: dict[str, Any], said: str) -> None:
    cluster, operator = start_with()
    let_test(cluster, "tests-1", **what)
    operator.settle()
    assert cluster.created == []
    assert cluster.ready() == ("True", "Active")
    assert said in message(cluster)


def test_where_no_model_is_served_there_is_no_score() -> None:
    cluster, operator = start_with(served=None)
    let_test(cluster, "tests-1")
    operator.settle()
    assert cluster.created == []
    assert message(cluster) == "The Pipeline churn serves no Model, so there is no score to look at."


def test_an_error_above_the_maximum_starts_a_run() -> None:
    cluster, operator = start_with(model={"scoring": "cost", "maximum": "2.5"})
    let_test(cluster, "tests-1", score=None)
    run = cluster.run("tests-1")
    scores = [{"name": "cost", "value": "-3.0"}]
    run["status"]["steps"][0]["testing"]["newPoints"]["scores"] = scores
    cluster.api.put(run)
    operator.settle()
    assert len(cluster.created) == 1
    assert "has cost 3 on 200 points newer than it, above the maximum of 2.5." in message(cluster)


def test_each_newer_test_that_is_beyond_the_bound_is_one_more_reason() -> None:
    cluster, operator = start_with()
    for number in (1, 2):
        let_test(cluster, f"tests-{number}")
        operator.settle()
        cluster.finish(cluster.created[-1])
        operator.settle()
    assert len(cluster.created) == 2
    assert cluster.counts() == (2, 0, 0)


def test_of_many_tests_at_once_the_last_one_counts() -> None:
    cluster, operator = start_with(concurrencyPolicy="Allow")
    for number in range(5):
        let_test(cluster, f"tests-{number}")
    operator.settle()
    assert len(cluster.created) == 1
    let_test(cluster, "tests-5")
    let_test(cluster, "tests-6", score=0.9)
    operator.settle()
    assert len(cluster.created) == 1


def test_while_a_run_is_live_a_test_waits_and_is_passed_over_where_another_model_came_of_it() -> None:
    cluster, operator = start_with()
    let_test(cluster, "tests-1")
    operator.settle()
    let_test(cluster, "tests-2")
    operator.settle()
    assert len(cluster.created) == 1

    cluster.finish(cluster.created[0])
    serve(cluster, "churn-2")
    operator.settle()
    assert len(cluster.created) == 1

    serve(cluster, "churn-1")
    operator.settle()
    assert len(cluster.created) == 2


def test_a_run_of_the_trigger_never_fires_it() -> None:
    cluster, operator = start_with()
    let_test(cluster, "tests-1")
    operator.settle()
    cluster.now += timedelta(seconds=5)
    report(cluster, cluster.created[0], score=0.5)
    operator.wait(3600)
    assert len(cluster.created) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["Forbid", "Allow", "Replace"])), min_size=2, max_size=4),
    st.integers(1, 3),
)
def test_triggers_never_start_each_other_for_ever_where_every_test_is_bad(
    triggers: list[tuple[int, str]], tests: int
) -> None:
    cluster = TriggerCluster()
    cluster.apply_pipeline(**SPEC)
    serve(cluster, "churn-1")
    for index, (_, policy) in enumerate(triggers):
        cluster.apply_trigger(f"trigger-{index}", **AT_LEAST, concurrencyPolicy=policy)
    operator = TriggerOperator(cluster)
    operator.settle()
    for number in range(tests):
        let_test(cluster, f"tests-{number}")
        operator.settle()
    for _ in range(3 * len(triggers) * tests):
        for name in cluster.live():
            cluster.now += timedelta(seconds=1)
            report(cluster, name)
        operator.settle()
    assert not cluster.live()
    assert len(cluster.created) <= len(triggers) * tests


def test_what_was_tested_before_the_trigger_an_edit_or_a_resume_starts_nothing() -> None:
    cluster = TriggerCluster()
    cluster.apply_pipeline(**SPEC)
    serve(cluster, "churn-1")
    let_test(cluster, "tests-1")
    cluster.now += timedelta(seconds=1)
    for spec in ({}, {"suspend": True}, {}, {"failureLimit": 3}):
        cluster.apply_trigger(**AT_LEAST, **spec)
        operator = TriggerOperator(cluster)
        operator.settle()
        if spec.get("suspend"):
            let_test(cluster, "tests-2")
            operator.settle()
        cluster.now += timedelta(minutes=1)
    cluster.delete("triggers", "nightly")
    cluster.apply_trigger(**AT_LEAST)
    operator.wait(3600)
    assert cluster.created == []
    assert "below the minimum of 0.8" in message(cluster)


def test_a_lost_status_starts_nothing_again() -> None:
    cluster, operator = start_with()
    let_test(cluster, "tests-1")
    operator.settle()
    cluster.finish(cluster.created[0])
    operator.settle()
    cluster.lose_status()
    TriggerOperator(cluster).wait(3600)
    assert len(cluster.created) == 1


def test_a_filter_skips_a_test_once_and_knows_what_was_found() -> None:
    cluster, operator = start_with(filter="event.data.score < 0.5 && event.data.points > 100")
    let_test(cluster, "tests-1", score=0.7)
    operator.wait(3600)
    assert cluster.reasons() == [("Skipped", "Filtered")]
    let_test(cluster, "tests-2", score=0.4)
    operator.settle()
    assert len(cluster.created) == 1


def test_an_operator_killed_before_any_write_fires_once() -> None:
    writes, died = 0, True
    while died:
        died = False
        cluster, operator = start_with()
        let_test(cluster, "tests-1")
        operator.lives = writes
        try:
            operator.settle()
        except OperatorKilled:
            died = True
            TriggerOperator(cluster).settle()
        assert len(cluster.created) == 1
        assert cluster.counts() == (1, 0, 0)
        assert len(cluster.live()) == 1
        writes += 1


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"scoring": "roc_aux", "minimum": "0.8"}, "spec.model.scoring is roc_aux, which testing of the Pipeline does"),
        ({"scoring": "roc_auc", "maximum": "0.8"}, "spec.model.maximum is for errors, and of roc_auc more is better"),
        ({"scoring": "neg_log_loss", "minimum": "0.8"}, "spec.model.minimum is 0.8, and neg_log_loss is an error"),
        ({"scoring": "cost", "minimum": "2"}, "spec.model.minimum is 2, and cost is an error"),
    ],
)
def test_a_bound_that_the_pipeline_cannot_meet_is_refused_until_it_can(model: dict[str, Any], said: str) -> None:
    cluster, operator = start_with(model=model)
    let_test(cluster, "tests-1")
    operator.settle()
    assert cluster.ready() == ("False", "Invalid")
    assert said in message(cluster)
    assert cluster.created == []

    cluster.apply_pipeline(generation=2, **SPEC | {"testing": {"scoring": [{"name": "roc_auc"}, {"name": "cost"}]}})
    cluster.apply_trigger(model={"scoring": "cost", "minimum": "2"})
    operator.settle()
    assert cluster.ready() == ("True", "Active")


def test_a_scoring_that_the_status_of_a_run_has_no_room_for_is_refused() -> None:
    many = [{"name": f"own_{number}", "function": "own.cost"} for number in range(9)]
    cluster = TriggerCluster()
    cluster.apply_pipeline(**SPEC | {"testing": {"scoring": many}})
    cluster.apply_trigger(model={"scoring": "own_8", "minimum": "2"})
    TriggerOperator(cluster).settle()
    assert cluster.ready() == ("False", "Invalid")
    assert "own_8, number 9 of testing.scoring" in message(cluster)
