"""How a run ends otherwise than well: each case by name, with its reason and its sentence."""

import re
from datetime import timedelta
from typing import Any, get_args

import msgspec
import pytest

from penstock.decide.decision import OnlyConditions, Refusal
from penstock.decide.objects.children import results_name
from penstock.decide.ownership import run_owner
from penstock.decide.run.outcome import failure_of
from penstock.decide.run.plan import PartName
from penstock.decide.run.reconcile import decide
from penstock_jobs.contract.result import Failure
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import TESTED, advance_to_pod, apply_run, control_jobs, pod_of, read_condition, step


def failed_with(code: int, message: str, reason: str | None = None) -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = advance_to_pod()
    for _ in range(2):
        cluster.end(pod_of(cluster), code, message, reason)
        control_jobs(cluster)
        operator.rest("churn-1")
        if cluster.objects["PipelineRun", "churn-1"]["status"].get("completionTime"):
            break
        cluster.advance_clock(60)
        operator.rest("churn-1")
        control_jobs(cluster)
    return cluster, operator


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_job_is_tried_again_after_a_wait_that_doubles(again: int) -> None:
    retries = {"retries": {"limit": 3, "backoff": "30s"}}
    cluster, operator = apply_run(pipeline=examples.pipeline(jobs=[{"name": "dataset", **retries}]))
    operator.rest("churn-1")
    for number in range(1, again + 1):
        control_jobs(cluster)
        cluster.end(pod_of(cluster), 75, "The storage does not answer.")
        control_jobs(cluster)
        wait = 30 * 2 ** (number - 1)
        decision = operator.rest("churn-1")

        assert decision.requeue_after == wait
        assert step(cluster, "dataset")["reason"] == "Retrying"
        assert step(cluster, "dataset")["message"].startswith(f"Try {number + 1} of 4 begins at 2026-03-01T12:")
        cluster.advance_clock(wait - 1)
        operator.rest("churn-1")
        assert len(cluster.of("Job")) == number
        cluster.advance_clock(1)
        operator.rest("churn-1")
        assert len(cluster.of("Job")) == number + 1
        assert len(cluster.live_jobs(examples.RUN_UID)) == 1
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_job_whose_own_fault_it_is_is_not_tried_again() -> None:
    cluster, _ = failed_with(2, "")

    assert len(cluster.of("Job")) == 1


def test_a_suspended_run_is_not_tried_again_until_it_is_resumed() -> None:
    cluster, operator = advance_to_pod()
    cluster.end(pod_of(cluster), 75)
    control_jobs(cluster)
    operator.rest("churn-1")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": True}})
    cluster.advance_clock(60)

    assert read_condition(cluster, operator)[1] == "Suspended"
    assert cluster.live_jobs(examples.RUN_UID) == []

    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": False}})
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_run_fails_in_the_words_of_its_job() -> None:
    failure = TerminationMessage(result=Failure(reason="Refused", message="The column left is missing; add it."))
    cluster, operator = failed_with(2, msgspec.json.encode(failure).decode())

    assert read_condition(cluster, operator) == (
        "False",
        "Refused",
        "The dataset step failed: The column left is missing; add it.",
    )
    assert [each["state"] for each in cluster.objects["PipelineRun", "churn-1"]["status"]["steps"]] == [
        "Failed",
        "Skipped",
        "Skipped",
        "Skipped",
    ]
    stalled = [each["type"] for each in cluster.objects["PipelineRun", "churn-1"]["status"]["conditions"]]
    assert stalled == ["Succeeded", "Stalled"]


@pytest.mark.parametrize(
    ("code", "message", "reason", "expected"),
    [
        (137, "", "OOMKilled", "OutOfMemory"),
        (124, "", None, "TimedOut"),
        (1, "", None, "Failed"),
        (75, "", None, "Failed"),
        (1, "x" * 100_000, None, "Failed"),
    ],
)
def test_a_container_without_a_sentence_of_its_own_is_given_one(
    code: int, message: str, reason: str | None, expected: str
) -> None:
    cluster, operator = failed_with(code, message, reason)

    status, found, sentence = read_condition(cluster, operator)

    assert (status, found) == ("False", expected)
    assert len(sentence) <= 1024


@pytest.mark.parametrize("part", get_args(PartName))
@pytest.mark.parametrize(("code", "reason"), [(137, "OOMKilled"), (124, "Error")])
def test_a_field_that_is_to_be_raised_is_one_that_the_manifest_has_for_that_part(
    part: PartName, code: int, reason: str
) -> None:
    ended = {"name": "job", "state": {"terminated": {"exitCode": code, "reason": reason}}}

    _, sentence = failure_of(part, {"metadata": {}, "status": {"containerStatuses": [ended]}})

    named = re.findall(r"spec\.jobs\[([-a-z]+)\]\.", sentence)
    assert named == {"source": [], "testing-again": ["testing"]}.get(part, [part])
    assert part != "source" or "spec.source.git.url" in sentence


def test_what_ones_own_image_leaves_is_told_as_it_is() -> None:
    cluster, operator = advance_to_pod()
    cluster.end(pod_of(cluster), 2, "The disk is made of cheese.")
    control_jobs(cluster)
    settle(cluster, operator)

    expected = "The dataset step failed: Its container ended with exit code 2: The disk is made of cheese."
    assert read_condition(cluster)[2] == expected


@pytest.mark.parametrize("part", ["dataset", "training", "testing"])
def test_a_run_is_cancelled_in_each_of_its_jobs(part: str) -> None:
    cluster, operator = advance_to_pod(part=part)
    cluster.begin(pod_of(cluster))
    operator.rest("churn-1")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "cancel": True}})

    assert read_condition(cluster, operator)[:2] == ("Unknown", "Cancelled")  # its pod is still ending
    for pod in list(cluster.live_pods()):
        cluster.remove(("Pod", pod["metadata"]["name"]))
    assert read_condition(cluster, operator) == ("False", "Cancelled", "It was cancelled; nothing of it runs any more.")
    assert cluster.live_jobs(examples.RUN_UID) == []
    assert step(cluster, part)["state"] == "Cancelled"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"jobs": [{"name": "dataset", "profile": "huge"}]}, "no such profile"),
        ({"storage": None}, "no default storage"),
        ({"training": None, "testing": None, "deployment": None, "dataset": None}, "describes no job"),
        ({"storage": {"gcs": {"bucket": "ml-team"}}}, "spec.storage.gcs is not there yet; keep files in s3 or pvc."),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(**change))

    status, reason, message = read_condition(cluster, operator)

    assert (status, reason) == ("False", "Refused")
    assert sentence in message


def test_a_run_that_lacks_a_job_that_nobody_has_done_is_refused() -> None:
    cluster, operator = apply_run(examples.run(jobs=[{"name": "training"}]))

    assert read_condition(cluster, operator)[2] == (
        "The job training needs what dataset makes, and no run has made it; add dataset to the jobs."
    )


def test_a_run_that_lacks_a_result_that_is_no_longer_there_is_refused_and_does_not_wait_for_ever() -> None:
    cluster, operator = apply_run(examples.run(jobs=[{"name": "dataset"}]))
    settle(cluster, operator)
    cluster.remove(("ConfigMap", results_name(run_owner(cluster.objects["PipelineRun", "churn-1"]))))
    cluster.put(examples.run("churn-2", "1" * 8, "2026-03-01T13:00:00Z", jobs=[{"name": "training"}]))
    operator.rest("churn-2")
    waiting = cluster.objects["PipelineRun", "churn-2"]["status"]["conditions"][0]
    cluster.advance_clock(60)

    operator.rest("churn-2")

    ended = cluster.objects["PipelineRun", "churn-2"]["status"]["conditions"][0]
    assert (waiting["status"], waiting["reason"]) == ("Unknown", "EarlierRun")  # it may be seen a moment later
    assert (ended["status"], ended["reason"]) == ("False", "Refused")
    assert ended["message"] == (
        "The job training needs what dataset makes; the run churn-1 made it last, and its results are no longer there. "
        "Add dataset to the jobs."
    )


def test_a_strangers_object_is_left_alone_and_told_of() -> None:
    cluster, operator = apply_run()
    operator.looks()
    operator.reconcile("churn-1")
    operator.looks()
    refusal = Refusal("Job", "churn-1-dataset", 409, "NameConflict", "it is there")

    decision = decide(operator.observation("churn-1", refusal), cluster.now)

    assert decision.status is not None
    assert decision.status.conditions[0].reason == "NameConflict"  # type: ignore[attr-defined]


def test_a_run_that_this_operator_cannot_read_is_told_of_once_and_left_as_it_is() -> None:
    _, operator = apply_run({**examples.run(), "spec": {"pipelineRef": {"name": "churn"}, "cancel": "Softly"}})
    operator.looks()
    first = operator.reconcile("churn-1")
    operator.looks()

    assert isinstance(first.status, OnlyConditions)
    assert "spec.cancel" in first.status.conditions[0]["message"]
    assert operator.reconcile("churn-1").status is None


def test_the_jobs_of_a_run_that_has_ended_go_after_a_while_and_the_run_stays() -> None:
    cluster, operator = apply_run(examples.run(jobs=TESTED))
    settle(cluster, operator)
    assert len(cluster.of("Job")) == 3
    cluster.now += timedelta(hours=24)

    operator.rest("churn-1")

    assert cluster.of("Job") == []
    assert read_condition(cluster)[0] == "True"


@pytest.mark.parametrize("said", ["", "two words", "ünicode", "x" * 65, "Ends:"])
def test_a_reason_that_no_condition_takes_becomes_one_that_it_does(said: str) -> None:
    failure = TerminationMessage(result=Failure(reason=said, message="My own sentence."))
    cluster, operator = failed_with(2, msgspec.json.encode(failure).decode())

    assert read_condition(cluster, operator) == ("False", "Failed", "The dataset step failed: My own sentence.")
