"""How often a testing set has served to decide: its points stay, so an epoch is used up from version to version."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.api import pipeline
from penstock.api import run as api
from penstock.api.metadata import ObjectMeta
from penstock.api.run import DeploymentSummary, PipelineReference, PipelineRun, PipelineRunSpec, PipelineRunStatus, Step
from penstock.decide.objects.children import as_json
from penstock.decide.observed.listers import RunLister
from penstock.decide.testing_uses import count_uses, merge_uses, use_of_epoch


def decided(version: int, digest: str | None, epoch: int = 1, generation: int | None = None) -> PipelineRun:
    tested = api.TestingSummary(
        epoch=epoch, version=version, digest=digest, generation=generation, points=100, report="file:///report.html"
    )
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


def test_versions_of_one_epoch_are_one_testing_set_whatever_their_rows() -> None:
    uses = uses_of(
        decided(3, "sha256:a", generation=1), decided(5, "sha256:b", generation=3), decided(4, "sha256:a", generation=2)
    )

    assert uses == (pipeline.TestingUse(epoch=1, version=5, digest="sha256:b", generation=3, decisions=3),)


def test_the_same_rows_in_another_epoch_are_another_testing_set() -> None:
    uses = uses_of(decided(3, "sha256:a"), decided(0, "sha256:a", epoch=2))

    assert [(use.epoch, use.decisions) for use in uses] == [(2, 1), (1, 1)]


def test_versions_that_an_earlier_operator_counted_apart_are_added_up() -> None:
    before = (
        pipeline.TestingUse(epoch=1, version=3, digest="a", decisions=2),
        pipeline.TestingUse(epoch=1, version=4, decisions=5),
    )

    assert merge_uses(before, ()) == (pipeline.TestingUse(epoch=1, version=4, decisions=7),)
    assert use_of_epoch(before, 1) == pipeline.TestingUse(epoch=1, version=4, decisions=7)
    assert use_of_epoch(before, 2) is None


@given(st.lists(st.integers(1, 3), max_size=12), st.data())
def test_a_decision_stays_counted_when_its_run_is_deleted(epochs: list[int], data: st.DataObject) -> None:
    runs = [decided(version, None, epoch) for version, epoch in enumerate(epochs)]
    left = [run for run in runs if data.draw(st.booleans())]

    counted = {use.epoch: use.decisions for use in merge_uses(uses_of(*runs), uses_of(*left))}

    assert counted == {epoch: epochs.count(epoch) for epoch in set(epochs)}
