"""A run that repeats another: with what that one was, from the job on that is asked for, and nothing of it twice."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_changes import named
from penstock.decide.objects.children import RUN_UID, STEP
from penstock_jobs.contract.specification import DatasetJob, RepeatedTables, TrainingJob
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import apply_run
from unit.decide_run.test_a_run_that_is_otherwise import specification

AGAIN = "1b0c6a52-9d1e-4b7a-8a55-6f1f5b6d2c22"
JOBS = ("dataset", "training", "testing", "deployment")
ASKED = [{"name": name} for name in JOBS]


def succeeded(**spec: Any) -> tuple[ModelCluster, ModelOperator]:
    """Return a cluster in which the run churn-1 has succeeded."""
    cluster, operator = apply_run(examples.run(jobs=ASKED, **spec))
    settle(cluster, operator)
    cluster.advance_clock(120)
    return cluster, operator


def repeat(cluster: ModelCluster, operator: ModelOperator, rerun_of: dict[str, str], **spec: Any) -> dict[str, Any]:
    """Apply a run that repeats churn-1, and return it as it ended."""
    asked = {"name": "churn-1", **rerun_of}
    cluster.put(examples.run("churn-2", AGAIN, "2026-03-01T13:00:00Z", rerunOf=asked, **spec))
    operator.looks()
    return settle(cluster, operator, "churn-2")


def states(run: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run["status"]["steps"]}


def done_by(cluster: ModelCluster, uid: str) -> list[str]:
    return [part for of, part, _ in cluster.computed if of == uid]


def condition(run: dict[str, Any]) -> tuple[str, str, str]:
    [found] = [each for each in run["status"]["conditions"] if each["type"] == "Succeeded"]
    return found["status"], found["reason"], found["message"]


@pytest.mark.parametrize("position", range(4))
def test_the_jobs_before_the_first_are_reused_and_make_no_pod(position: int) -> None:
    cluster, operator = succeeded()

    run = repeat(cluster, operator, {"from": JOBS[position]})

    assert condition(run)[0] == "True"
    assert states(run) == {name: "Reused" if at < position else "Succeeded" for at, name in enumerate(JOBS)}
    assert done_by(cluster, AGAIN) == [each for each in JOBS[position:] if each != "deployment"]


def test_a_reused_step_has_its_figures_and_says_of_which_run_they_are() -> None:
    cluster, operator = succeeded()

    run = repeat(cluster, operator, {"from": "testing"})

    dataset, training, *_ = run["status"]["steps"]
    before = cluster.objects["PipelineRun", "churn-1"]["status"]["steps"]
    assert (dataset["dataset"], training["training"]) == (before[0]["dataset"], before[1]["training"])
    assert dataset["message"] == training["message"] == "Taken over from the run churn-1."


def test_it_ends_with_the_job_that_is_asked_for() -> None:
    cluster, operator = succeeded()

    run = repeat(cluster, operator, {"from": "training", "until": "testing"})

    assert states(run) == {"dataset": "Reused", "training": "Succeeded", "testing": "Succeeded"}


def test_without_a_first_job_it_begins_with_the_one_that_did_not_succeed() -> None:
    cluster, operator = apply_run(examples.run(jobs=ASKED))
    while not any(part == "dataset" for _, part, _ in cluster.computed):
        operator.rest("churn-1")
        for job in cluster.of("Job"):
            cluster.control(job)
        for pod in cluster.unfinished_pods():
            cluster.finish(pod)
    operator.rest("churn-1")
    cluster.put(
        {**cluster.objects["PipelineRun", "churn-1"], "spec": {"pipelineRef": {"name": "churn"}, "cancel": True}}
    )
    operator.looks()
    settle(cluster, operator)

    run = repeat(cluster, operator, {})

    assert states(run) == {
        "dataset": "Reused",
        "training": "Succeeded",
        "testing": "Succeeded",
        "deployment": "Succeeded",
    }


edits = st.sampled_from(["keep", "algorithms", "key", "resources", "description"])


@given(changed=st.sets(edits))
def test_nothing_that_was_edited_since_enters_it(changed: set[str]) -> None:
    cluster, operator = succeeded()
    edited = copy.deepcopy(cluster.objects["Pipeline", "churn"])
    spec = edited["spec"]
    if "keep" in changed:
        spec["training"]["keep"] = 3
    if "algorithms" in changed:
        spec["training"]["algorithms"] = [{"name": "forest", "estimator": "sklearn.ensemble.RandomForestClassifier"}]
    if "key" in changed:
        spec["dataset"]["key"] = ["customer_id", "month"]
    if "resources" in changed:
        named(spec["jobs"], "training")["resources"] = {"limits": {"memory": "3Gi"}}
    if "description" in changed:
        spec["description"] = "Otherwise."
    cluster.put(edited)
    operator.looks()
    before = revision(cluster, examples.RUN_UID)

    repeat(cluster, operator, {"from": "training", "until": "training"})

    after = revision(cluster, AGAIN)
    assert after.pop("repetition")["run"] == "churn-1"
    assert after == before


def test_the_tables_that_it_makes_again_are_to_be_the_same() -> None:
    cluster, operator = succeeded()

    repeat(cluster, operator, {"from": "dataset", "until": "dataset"})

    job = specification(cluster, "dataset", AGAIN)
    assert isinstance(job, DatasetJob)
    assert job.repeated == RepeatedTables(
        run="churn-1",
        training="digest-training",
        validation="digest-validation",
        testing="digest-testing/epoch-0",
    )


def test_tables_of_a_rule_that_this_run_changes_may_be_others() -> None:
    cluster, operator = succeeded()

    changed = [{"path": "dataset.minimumClassCount", "value": 2}]
    repeat(cluster, operator, {"from": "dataset", "until": "dataset"}, overrides=changed)

    job = specification(cluster, "dataset", AGAIN)
    assert isinstance(job, DatasetJob)
    assert job.repeated is None


def test_a_field_has_another_value_where_the_run_says_so() -> None:
    cluster, operator = succeeded()

    changed = [{"path": "training.keep", "value": 2}]
    repeat(cluster, operator, {"from": "training", "until": "training"}, overrides=changed)

    job = specification(cluster, "training", AGAIN)
    assert isinstance(job, TrainingJob)
    assert job.keep == 2


@pytest.mark.parametrize(
    ("rerun_of", "spec", "sentence"),
    [
        (
            {"from": "testing"},
            {"overrides": [{"path": "training.keep", "value": 1}]},
            "spec.overrides[0].path is training.keep, and this run takes its training step over from churn-1",
        ),
        (
            {"from": "training"},
            {"overrides": [{"path": "training.validation.holdout", "value": "30%"}]},
            "and this run takes its dataset step over from churn-1; begin with dataset",
        ),
        (
            {"from": "testing"},
            {"jobs": [{"name": "training", "threads": 2}]},
            "spec.jobs[0].name is training, and of the run churn-1 only testing, deployment is done again",
        ),
        (
            {"from": "training"},
            {"parameters": [{"name": "asOf", "value": "2026-01-01"}]},
            "which this run takes over from churn-1; begin with dataset",
        ),
        ({"name": "churn-2"}, {}, "a run cannot repeat itself"),
    ],
)
def test_what_would_change_nothing_is_refused(rerun_of: dict[str, str], spec: dict[str, Any], sentence: str) -> None:
    cluster, operator = succeeded()

    status, reason, message = condition(repeat(cluster, operator, rerun_of, **spec))

    assert (status, reason) == ("False", "Refused")
    assert sentence in message
    assert done_by(cluster, AGAIN) == []


def test_a_job_that_the_run_did_not_have_is_refused() -> None:
    cluster, operator = apply_run(examples.run(jobs=[{"name": "dataset"}]))
    settle(cluster, operator)

    message = condition(repeat(cluster, operator, {"from": "training"}))[2]

    assert "spec.rerunOf.from is training, and the run churn-1 had dataset; name one of these." in message


def test_it_waits_for_a_run_that_is_not_there_or_has_not_ended() -> None:
    cluster, operator = apply_run(examples.run("churn-2", AGAIN, rerunOf={"name": "churn-1"}))
    operator.rest("churn-2")
    waits = condition(cluster.objects["PipelineRun", "churn-2"])
    cluster.put(examples.run(jobs=ASKED))
    operator.looks()
    operator.rest("churn-2")
    lives = condition(cluster.objects["PipelineRun", "churn-2"])

    run = settle(cluster, operator, "churn-1", "churn-2")

    assert waits[1] == lives[1] == "EarlierRun"
    assert "There is no run churn-1 of this Pipeline in this namespace yet" in waits[2]
    assert "The run churn-1, which this one repeats, has not ended yet." in lives[2]
    assert states(run)["dataset"] == "Succeeded"


def test_a_run_goes_on_though_the_one_that_it_repeats_is_deleted() -> None:
    cluster, operator = succeeded()
    cluster.put(examples.run("churn-2", AGAIN, rerunOf={"name": "churn-1", "from": "training"}))
    operator.looks()
    operator.rest("churn-2")
    cluster.remove(("PipelineRun", "churn-1"))
    operator.looks()

    run = settle(cluster, operator, "churn-2")

    assert condition(run)[0] == "True"
    assert states(run)["dataset"] == "Reused"


def test_a_run_whose_results_are_gone_cannot_be_taken_over() -> None:
    cluster, operator = succeeded()
    for each in cluster.of("ConfigMap"):
        cluster.remove(("ConfigMap", each["metadata"]["name"]))
    operator.looks()

    message = condition(repeat(cluster, operator, {"from": "training"}))[2]

    assert "The run churn-1 has no result of its dataset step that could be taken over" in message


def test_a_model_that_is_gone_is_not_tested_again() -> None:
    cluster, operator = succeeded()
    [model] = cluster.of("Model")
    cluster.remove(("Model", model["metadata"]["name"]))
    operator.looks()

    message = condition(repeat(cluster, operator, {"from": "testing"}))[2]

    assert "which the run churn-1 made, is no longer there; begin with training." in message


def test_in_debug_mode_nothing_is_deployed() -> None:
    cluster, operator = succeeded()

    run = repeat(cluster, operator, {"from": "testing"}, mode="Debug")

    assert states(run) == {"dataset": "Reused", "training": "Reused", "testing": "Succeeded"}


def test_what_repeats_a_run_that_repeats_one_has_the_first_one_s_tables() -> None:
    cluster, operator = succeeded()
    repeat(cluster, operator, {"from": "training"})
    cluster.advance_clock(120)
    third = "2c0c6a52-9d1e-4b7a-8a55-6f1f5b6d2c33"
    cluster.put(examples.run("churn-3", third, rerunOf={"name": "churn-2", "from": "testing"}))
    operator.looks()

    run = settle(cluster, operator, "churn-3")

    assert states(run) == {"dataset": "Reused", "training": "Reused", "testing": "Succeeded", "deployment": "Succeeded"}
    assert done_by(cluster, third) == ["testing"]


def revision(cluster: ModelCluster, uid: str) -> dict[str, Any]:
    """Return what the run of that uid is."""
    [found] = [
        each
        for each in cluster.of("ControllerRevision")
        if "pipeline" in each["data"] and each["metadata"]["ownerReferences"][0]["uid"] == uid
    ]
    return msgspec.json.decode(msgspec.json.encode(found["data"]))


def test_its_results_are_found_though_their_label_was_taken_off_and_the_other_run_is_gone() -> None:
    cluster, operator = succeeded()
    cluster.put(examples.run("churn-2", AGAIN, rerunOf={"name": "churn-1", "from": "training"}))
    operator.looks()
    operator.rest("churn-2")
    [results] = [
        each
        for each in cluster.of("ConfigMap")
        if each["metadata"]["labels"].get(RUN_UID) == AGAIN and STEP not in each["metadata"]["labels"]
    ]
    labels = {name: value for name, value in results["metadata"]["labels"].items() if not name.startswith("penstock")}
    cluster.put({**results, "metadata": {**results["metadata"], "labels": labels}})
    cluster.remove(("PipelineRun", "churn-1"))
    operator.looks()

    run = settle(cluster, operator, "churn-2")

    assert condition(run)[0] == "True"
    assert states(run)["dataset"] == "Reused"


@pytest.mark.parametrize("first", ["dataset", "training"])
def test_its_pods_have_the_images_that_the_other_run_s_had(first: str) -> None:
    cluster, operator = succeeded()
    images = [
        msgspec.json.decode(each["data"]["images"]) for each in cluster.of("ConfigMap") if "images" in each["data"]
    ]

    repeat(cluster, operator, {"from": first, "until": first})

    assert revision(cluster, AGAIN)["repetition"]["images"] == images[0] != {}
    [job] = [each for each in cluster.of("Job") if each["metadata"]["labels"].get(RUN_UID) == AGAIN]
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] in images[0].values()


def test_a_deployment_is_decided_again_by_the_test_that_it_rested_on() -> None:
    cluster, operator = succeeded()
    second = "3d0c6a52-9d1e-4b7a-8a55-6f1f5b6d2c44"
    cluster.put(examples.run("churn-0", second, "2026-03-01T12:30:00Z", jobs=[{"name": "deployment"}]))
    operator.looks()
    before = settle(cluster, operator, "churn-0")
    cluster.advance_clock(120)
    cluster.put(examples.run("churn-2", AGAIN, rerunOf={"name": "churn-0"}))
    operator.looks()

    after = settle(cluster, operator, "churn-2")

    assert after["status"]["steps"][0]["deployment"] == before["status"]["steps"][0]["deployment"]
    assert "challenger" in after["status"]["steps"][0]["deployment"]


def test_a_run_that_never_began_cannot_be_repeated() -> None:
    cluster, operator = apply_run(examples.run(jobs=ASKED, parameters=[{"name": "none", "value": "x"}]))
    settle(cluster, operator)

    message = condition(repeat(cluster, operator, {}))[2]

    assert message == "spec.rerunOf.name is churn-1, which never began; apply a new run."


@pytest.mark.parametrize(
    ("rerun_of", "mode", "sentence"),
    [
        ({"until": "dataset"}, "Snapshot", "spec.rerunOf.until comes before its first job to repeat."),
        ({"from": "deployment"}, "Debug", "mode Debug never deploys."),
    ],
)
def test_where_nothing_is_left_to_do_that_is_said(rerun_of: dict[str, str], mode: str, sentence: str) -> None:
    cluster, operator = succeeded()
    if mode == "Snapshot":
        there = cluster.objects["PipelineRun", "churn-1"]
        steps = [
            {**step, "state": "Failed"} if step["name"] == "testing" else step for step in there["status"]["steps"]
        ]
        cluster.put({**there, "status": {**there["status"], "steps": steps}})
        operator.looks()

    message = condition(repeat(cluster, operator, rerun_of, mode=mode))[2]

    assert message == f"There is nothing to do again of the run churn-1: {sentence}"
