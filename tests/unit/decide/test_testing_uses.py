"""How often a testing set has served to decide: told by its rows, since each generation makes a version of it."""

from penstock.api import pipeline
from penstock.api import run as api
from penstock.api.metadata import ObjectMeta
from penstock.api.run import DeploymentSummary, PipelineReference, PipelineRun, PipelineRunSpec, PipelineRunStatus, Step
from penstock.decide.objects.children import as_json
from penstock.decide.observed.listers import RunLister
from penstock.decide.serving import count_uses


def decided(version: int, digest: str | None, epoch: int = 1) -> PipelineRun:
    tested = api.TestingSummary(epoch=epoch, version=version, digest=digest, points=100, report="file:///report.html")
    steps = (
        Step(name="testing", state="Succeeded", testing=tested),
        Step(name="deployment", state="Succeeded", deployment=DeploymentSummary(verdict="NotBetter")),
    )
    return PipelineRun(
        api_version="penstock.dev/v1alpha1",
        kind="PipelineRun",
        metadata=ObjectMeta(name=f"churn-{version}"),
        spec=PipelineRunSpec(pipeline_ref=PipelineReference(name="churn")),
        status=PipelineRunStatus(steps=steps),
    )


def uses_of(*runs: PipelineRun) -> tuple[pipeline.TestingUse, ...]:
    return count_uses(RunLister([as_json(run) for run in runs]).testing_sets())


def test_versions_with_the_same_rows_are_one_testing_set() -> None:
    uses = uses_of(decided(3, "sha256:a"), decided(4, "sha256:a"), decided(5, "sha256:b"))

    assert [(use.version, use.digest, use.decisions) for use in uses] == [(5, "sha256:b", 1), (4, "sha256:a", 2)]


def test_the_same_rows_in_another_epoch_are_another_testing_set() -> None:
    uses = uses_of(decided(3, "sha256:a"), decided(0, "sha256:a", epoch=2))

    assert [(use.epoch, use.decisions) for use in uses] == [(2, 1), (1, 1)]
