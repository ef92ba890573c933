"""Retention: the newest are kept, and whatever somebody still needs, whatever its age."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.decide.retention.models import models_in_use, surplus_models
from penstock.decide.retention.runs import expired_runs, is_made_by_penstock, runs_in_use

Object = dict[str, Any]
NAMES = [f"model-{number}" for number in range(8)]
SOME = st.lists(st.sampled_from(NAMES), max_size=3)
ONE = st.none() | st.sampled_from(NAMES)
KEPT = st.integers(1, 6)


def model(name: str, created: int, pipeline: str = "churn", served_by: tuple[str, ...] = ()) -> Object:
    return {
        "metadata": {"name": name, "labels": {"penstock.dev/pipeline": pipeline}},
        "spec": {"creationTime": f"2026-03-{created:02}T00:00:00Z"},
        "status": {"servedBy": list(served_by)},
    }


def pipeline(name: str = "churn", pinned: str | None = None, served: str | None = None, **status: Any) -> Object:
    return {
        "metadata": {"name": name},
        "spec": {"deployment": {"model": pinned} if pinned else {}},
        "status": status | ({"servedModel": {"name": served}} if served else {}),
    }


def run(
    name: str, finished: int | None = None, ours: bool = False, steps: tuple[Object, ...] = (), **spec: Any
) -> Object:
    status: Object = {"steps": list(steps)} | (
        {"completionTime": f"2026-03-{finished:02}T00:00:00Z"} if finished else {}
    )
    labels = {"app.kubernetes.io/managed-by": "penstock"} if ours else {}
    return {"metadata": {"name": name, "uid": f"uid-{name}", "labels": labels}, "spec": spec, "status": status}


def step(name: str, finished: int = 1, **figures: Any) -> Object:
    return {"name": name, "state": "Succeeded", "completionTime": f"2026-03-{finished:02}T00:00:00Z", **figures}


MODELS = st.lists(
    st.builds(
        model,
        st.sampled_from(NAMES),
        st.integers(1, 28),
        st.sampled_from(["churn", "others"]),
        st.sampled_from([(), ("churn",), ("others",)]),
    ),
    unique_by=lambda each: each["metadata"]["name"],
    max_size=8,
)
PIPELINES = st.lists(st.builds(pipeline, st.sampled_from(["churn", "others"]), ONE, ONE, selectedModel=ONE), max_size=3)
RUNS = st.lists(
    st.builds(
        lambda name, finished, ours, trained, decided, again: run(
            name,
            finished,
            ours,
            (
                step("training", finished or 1, training={"models": trained}),
                step("deployment", finished or 1, deployment={"challenger": decided}),
            ),
            **({"rerunOf": {"name": again}} if again else {}),
        ),
        st.sampled_from([f"run-{number}" for number in range(6)]),
        st.none() | st.integers(1, 28),
        st.booleans(),
        SOME,
        ONE,
        st.none() | st.sampled_from(["run-0", "run-1"]),
    ),
    unique_by=lambda each: each["metadata"]["name"],
    max_size=6,
)


@settings(deadline=None)
@given(MODELS, PIPELINES, RUNS, KEPT)
def test_no_model_goes_that_is_served_pinned_or_referred_to(
    models: list[Object], pipelines: list[Object], runs: list[Object], keep: int
) -> None:
    gone = {each["metadata"]["name"] for each in surplus_models("churn", keep, models, pipelines, runs)}

    for each in pipelines:
        assert each["spec"]["deployment"].get("model") not in gone
        assert each["status"].get("servedModel", {}).get("name") not in gone
        assert each["status"].get("selectedModel") not in gone
    assert not gone & {each["metadata"]["name"] for each in models if each["status"]["servedBy"]}
    live = [each for each in runs if "completionTime" not in each["status"]]
    for each in live:
        assert not gone & set(each["status"]["steps"][0]["training"]["models"])
        assert each["status"]["steps"][1]["deployment"]["challenger"] not in gone


@settings(deadline=None)
@given(MODELS, PIPELINES, RUNS, KEPT)
def test_as_many_models_of_the_pipeline_as_it_says_are_kept_and_none_of_another_goes(
    models: list[Object], pipelines: list[Object], runs: list[Object], keep: int
) -> None:
    gone = surplus_models("churn", keep, models, pipelines, runs)

    own = [each for each in models if each["metadata"]["labels"]["penstock.dev/pipeline"] == "churn"]
    assert all(each in own for each in gone)
    assert len(own) - len(gone) >= min(keep, len(own))
    youngest_gone = max((each["spec"]["creationTime"] for each in gone), default="")
    newest = sorted((each["spec"]["creationTime"] for each in own), reverse=True)[:keep]
    assert all(created >= youngest_gone for created in newest)
    held = models_in_use(models, pipelines, runs)
    assert len([each for each in own if each not in gone and each["metadata"]["name"] not in held]) <= keep


@settings(deadline=None)
@given(RUNS, KEPT)
def test_no_run_that_somebody_applied_is_ever_deleted_nor_a_live_one_nor_one_that_others_need(
    runs: list[Object], keep: int
) -> None:
    expired = expired_runs(keep, runs)

    assert all(is_made_by_penstock(each) and "completionTime" in each["status"] for each in expired.deleted)
    assert all(not is_made_by_penstock(each) and "completionTime" in each["status"] for each in expired.applied)
    assert not {each["metadata"]["name"] for each in expired.deleted} & runs_in_use(runs)
    left = [each for each in runs if is_made_by_penstock(each) and each not in expired.deleted]
    assert len(left) >= min(keep, sum(is_made_by_penstock(each) for each in runs))


def test_the_oldest_models_go_first() -> None:
    models = [model(name, created) for created, name in enumerate(NAMES, 1)]

    gone = surplus_models("churn", 3, models, [pipeline(served="model-1")], [])

    assert [each["metadata"]["name"] for each in gone] == ["model-0", "model-2", "model-3", "model-4"]


def test_without_a_number_nothing_goes() -> None:
    models = [model(name, created) for created, name in enumerate(NAMES, 1)]

    assert surplus_models("churn", None, models, [], []) == ()
    assert expired_runs(None, [run("run-1", 1, ours=True)]).deleted == ()


def test_the_models_of_the_last_training_stay_for_a_run_that_only_tests() -> None:
    models = [model("model-0", 1), model("model-1", 2)]
    last = run("run-1", 3, steps=(step("training", training={"models": ["model-0"]}),))

    assert surplus_models("churn", 1, models, [], [last]) == ()


def test_a_run_of_a_trigger_is_penstocks_own() -> None:
    made = run("nightly-1", 1)
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "penstock.dev/v1alpha1", "kind": "Trigger", "name": "nightly", "controller": True}
    ]

    assert is_made_by_penstock(made)
    assert not is_made_by_penstock(run("by-hand", 1))
