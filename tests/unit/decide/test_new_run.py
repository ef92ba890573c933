"""The run that a person asks for: its name, its execution name, its jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from penstock.api.admission import refusals
from penstock.api.run import JobRequest, PipelineReference, PipelineRunSpec
from penstock.decide.commands.new_run import (
    is_same_request,
    new_run,
    reset_word,
    with_execution_name,
    with_generated_name,
    with_jobs,
    with_reset,
)
from penstock_jobs.contract.errors import Refused

SPEC = PipelineRunSpec(pipeline_ref=PipelineReference(name="churn"))


def metadata(spec: PipelineRunSpec, manifest: dict[str, Any] | None = None) -> dict[str, Any]:
    made = new_run(spec, manifest)
    assert refusals(made) == []
    found: dict[str, Any] = made["metadata"]
    return found


def test_without_a_name_the_server_makes_one_of_the_pipelines() -> None:
    assert metadata(SPEC) == {"generateName": "churn-", "labels": {"penstock.dev/pipeline": "churn"}}


def test_a_wished_name_is_a_part_of_the_objects_and_is_the_execution_name() -> None:
    made = new_run(with_execution_name(SPEC, "Try_2"), None)

    assert made["metadata"]["name"] == "churn-try-2"
    assert made["spec"]["executionName"] == "Try_2"


def test_a_name_that_is_taken_stays_the_wish_for_the_execution_name() -> None:
    again = with_generated_name(new_run(SPEC, {"metadata": {"name": "churn-1", "annotations": {"a": "b"}}}))

    assert refusals(again) == []
    assert again["metadata"]["generateName"] == "churn-1-"
    assert again["metadata"]["annotations"] == {"a": "b"}
    assert again["spec"]["executionName"] == "churn-1"


def test_a_wish_for_an_execution_name_is_kept_where_the_name_is_taken() -> None:
    assert with_generated_name(new_run(with_execution_name(SPEC, "test"), None))["spec"]["executionName"] == "test"


def test_labels_of_the_manifest_are_kept() -> None:
    labels = metadata(SPEC, {"metadata": {"generateName": "night-", "labels": {"team": "a"}}})["labels"]

    assert labels == {"penstock.dev/pipeline": "churn", "team": "a"}


def test_the_longest_names_still_make_a_name() -> None:
    spec = PipelineRunSpec(pipeline_ref=PipelineReference(name="c" * 52))

    assert len(new_run(with_execution_name(spec, "e" * 52), None)["metadata"]["name"]) <= 52
    assert len(metadata(spec)["generateName"]) <= 53


def test_only_the_jobs_that_are_named_are_done_and_as_the_manifest_says() -> None:
    given = PipelineRunSpec(
        pipeline_ref=PipelineReference(name="churn"),
        jobs=(JobRequest(name="dataset"), JobRequest(name="training", parallelism=4)),
    )

    assert with_jobs(given, "testing, training").jobs == (
        JobRequest(name="training", parallelism=4),
        JobRequest(name="testing"),
    )


def test_a_reset_asks_for_every_job_where_none_was_named() -> None:
    jobs = with_reset(SPEC, "2026-11").jobs

    assert [each.name for each in jobs] == ["dataset", "training", "testing", "deployment"]
    assert [each.reset_testing for each in jobs] == ["2026-11", None, None, None]


def test_a_command_that_asks_for_a_reset_without_a_word_asks_for_the_same_each_time_and_for_another_reset() -> None:
    moment = datetime(2026, 11, 30, 12, tzinfo=UTC)
    first, second = (with_reset(SPEC, reset_word(moment + timedelta(seconds=each))) for each in (0, 1))

    assert first.jobs[0].reset_testing == "asked-20261130T120000.000000Z"
    assert first != second
    assert is_same_request(first, second)
    assert not is_same_request(with_reset(SPEC, "2026-11"), with_reset(SPEC, "2026-12"))
    msgspec.convert(msgspec.to_builtins(first), PipelineRunSpec)


@pytest.mark.parametrize(
    ("jobs", "sentence"),
    [
        ("data", "--jobs names data, which is none of dataset, training, testing, deployment."),
        (" , ", "--jobs names no job; name some of dataset, training, testing, deployment, or leave it out for all."),
    ],
)
def test_jobs_that_there_are_not_are_refused(jobs: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        with_jobs(SPEC, jobs)
    assert str(refused.value) == sentence


def test_a_name_that_no_run_can_have_is_refused() -> None:
    with pytest.raises(Refused, match="a name of a run has letters, digits"):
        with_execution_name(SPEC, "no spaces")
