"""What the terminal claims of a decision: printed where it is so, and not where nothing was decided or is there."""

import io
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from penstock.api.deployment import Deployment
from penstock.api.metadata import ObjectMeta
from penstock.api.pipeline import Pipeline, PipelineSpec, PipelineStatus, ServedModel
from penstock.api.run import (
    DeploymentSummary,
    PipelineReference,
    PipelineRun,
    PipelineRunSpec,
    PipelineRunStatus,
    Step,
)
from penstock.cli.outcome import show_decision
from penstock.cli.pipelines import pipelines
from penstock.cli.shown_runs import describe_step
from penstock.local.home import Home
from penstock.local.resources import Resources
from penstock_jobs.contract.result import Verdict

NO_DEPLOYMENT = DeploymentSummary(challenger="new", message="The Pipeline churn has no spec.deployment.")


def shown(summary: DeploymentSummary) -> str:
    run = PipelineRun(
        api_version="penstock.dev/v1alpha1",
        kind="PipelineRun",
        metadata=ObjectMeta(name="churn-1"),
        spec=PipelineRunSpec(pipeline_ref=PipelineReference(name="churn")),
        status=PipelineRunStatus(steps=(Step(name="deployment", state="Succeeded", deployment=summary),)),
    )
    console = Console(file=io.StringIO(), width=200)
    show_decision(console, run)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_where_nothing_was_decided_no_model_is_said_to_be_chosen_or_kept() -> None:
    assert shown(NO_DEPLOYMENT).strip() == "The Pipeline churn has no spec.deployment."


@pytest.mark.parametrize(
    ("verdict", "served", "said"),
    [("First", "new", "Model chosen: new"), ("NotBetter", "old", "Model kept: old"), ("NoScore", None, "chosen: none")],
)
def test_what_was_decided_is_said(verdict: Verdict, served: str | None, said: str) -> None:
    assert said in shown(DeploymentSummary(verdict=verdict, challenger="new", served=served, message="Why."))


def test_a_step_shows_the_verdict_where_there_is_one_and_none_where_there_is_none() -> None:
    decided = DeploymentSummary(verdict="NotWorse", challenger="new", served="new", message="Why.")

    assert str(describe_step(Step(name="deployment", state="Succeeded", deployment=decided))) == "NotWorse: Why."
    none = str(describe_step(Step(name="deployment", state="Succeeded", deployment=NO_DEPLOYMENT)))
    assert none == NO_DEPLOYMENT.message


def test_a_served_model_that_is_gone_is_not_listed_as_if_it_were_served(tmp_path: Path) -> None:
    resources = Resources(Home(tmp_path))
    served = ServedModel(name="nope", start_time="2026-03-01T12:00:00Z")
    resources.create(
        Pipeline(
            api_version="penstock.dev/v1alpha1",
            kind="Pipeline",
            metadata=ObjectMeta(name="ghost"),
            spec=PipelineSpec(deployment=Deployment()),
        )
    )
    status = PipelineStatus(served_model=served)
    resources.change(Pipeline, "ghost", lambda there: msgspec.structs.replace(there, status=status))
    answer = CliRunner().invoke(pipelines, ["--home", str(tmp_path)], catch_exceptions=False)

    assert "nope (gone)" in answer.output
