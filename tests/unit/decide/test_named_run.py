"""Which run a person means."""

import pytest

from penstock.api.metadata import ObjectMeta
from penstock.api.run import PipelineReference, PipelineRun, PipelineRunSpec, PipelineRunStatus
from penstock.decide.commands.find_run import match_run
from penstock_jobs.contract.errors import Refused


def run(name: str, pipeline: str, execution: str) -> PipelineRun:
    return PipelineRun(
        api_version="penstock.dev/v1alpha1",
        kind="PipelineRun",
        metadata=ObjectMeta(name=name),
        spec=PipelineRunSpec(pipeline_ref=PipelineReference(name=pipeline)),
        status=PipelineRunStatus(execution_name=execution),
    )


RUNS = [run("churn-test", "churn", "test"), run("fraud-test", "fraud", "test"), run("test_3", "fraud", "churn-test")]


@pytest.mark.parametrize(
    ("name", "meant"), [("churn-test", "churn-test"), ("fraud/test", "fraud-test"), ("fraud-test", "fraud-test")]
)
def test_its_own_name_comes_first_then_its_execution_name(name: str, meant: str) -> None:
    assert match_run(RUNS, name, "here").metadata.name == meant


def test_one_name_of_several_is_refused_with_all_of_them() -> None:
    with pytest.raises(Refused) as refused:
        match_run(RUNS, "test", "here")
    assert str(refused.value) == "Several runs are called test; say which: churn/test, fraud/test."


def test_a_name_of_none_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(Refused) as refused:
        match_run(RUNS, "churn-tset", "the namespace team")
    assert str(refused.value) == "There is no run churn-tset in the namespace team; did you mean churn-test?"


def test_where_there_is_nothing_alike_the_last_are_named() -> None:
    with pytest.raises(Refused, match="the last are churn-test, fraud-test, test_3"):
        match_run(RUNS, "something-else-entirely", "here")
    with pytest.raises(Refused, match="There is no run  in here"):
        match_run([run("new", "churn", "")], "", "here")
    with pytest.raises(Refused, match="there is none yet"):
        match_run([], "x", "here")
