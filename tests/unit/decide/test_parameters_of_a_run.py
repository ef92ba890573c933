"""Which parameters a run has: what it gives, what the Pipeline says otherwise, and the moment of a Trigger."""

from pathlib import Path

import msgspec
import pytest

from penstock.api.parameters import DeclaredParameter, GivenParameter
from penstock.api.pipeline import PipelineSpec
from penstock.api.run import JobRequest, PipelineReference, PipelineRunSpec
from penstock.api.schema import JobName
from penstock.api.validation import check_text, load_file
from penstock.decide.job_specification import dataset_job
from penstock.decide.parameters import run_parameters
from penstock.decide.summaries import PARAMETERS, parameters_in_words
from penstock_jobs.contract.errors import Refused
from penstock_jobs.contract.parameters import ParameterValue
from unit.decide.test_job_specification import RUN, Placed

MANIFEST = Path(__file__).parents[1] / "api" / "manifests" / "pipeline-parameters.yaml"
MOMENT = "2026-11-07T03:00:00Z"


@pytest.fixture(scope="module")
def spec() -> PipelineSpec:
    (pipeline,) = load_file(MANIFEST)
    assert isinstance(pipeline.spec, PipelineSpec)
    return pipeline.spec


def run_with(*jobs: JobName, **given: str) -> PipelineRunSpec:
    return PipelineRunSpec(
        pipeline_ref=PipelineReference(name="sales"),
        jobs=tuple(JobRequest(name=job) for job in jobs),
        parameters=tuple(GivenParameter(name=name, value=value) for name, value in given.items()),
    )


def refusal(spec: PipelineSpec, run: PipelineRunSpec, scheduled_time: str | None = MOMENT) -> str:
    with pytest.raises(Refused) as refused:
        run_parameters(spec, run, scheduled_time)
    return str(refused.value)


def values(spec: PipelineSpec, run: PipelineRunSpec, scheduled_time: str | None = MOMENT) -> dict[str, str]:
    return {each.name: each.value for each in run_parameters(spec, run, scheduled_time)}


def test_what_a_run_does_not_give_is_as_the_pipeline_says(spec: PipelineSpec) -> None:
    assert values(spec, run_with(asOf="2026-11-07", least="2.50")) == {
        "asOf": "2026-11-07",
        "region": "north",
        "least": "2.5",
        "scheduledTime": MOMENT,
    }


def test_one_without_a_default_must_be_given(spec: PipelineSpec) -> None:
    assert refusal(spec, run_with()) == (
        "spec.parameters gives no asOf, a Date for which the Pipeline has no default; give it there, or as penstock "
        "run --param asOf=VALUE."
    )


def test_all_that_is_wrong_with_what_is_given_is_said_at_once(spec: PipelineSpec) -> None:
    said = refusal(spec, run_with(asOf="today", region="west", leest="1"))

    assert 'spec.parameters[0].value is "today" for asOf, which is not a Date of the calendar' in said
    assert 'spec.parameters[1].value is "west" for region, which is not allowed; region is "north" or "south".' in said
    assert "spec.parameters[2].name is leest, which the Pipeline does not declare; did you mean least?" in said


def test_the_moment_of_the_trigger_is_there_without_being_declared(spec: PipelineSpec) -> None:
    run = run_with(asOf="2026-11-07")

    assert values(spec, run, "2026-11-07T04:00:00+01:00")["scheduledTime"] == MOMENT


def test_a_run_by_hand_may_give_the_moment_itself(spec: PipelineSpec) -> None:
    assert values(spec, run_with(asOf="2026-11-07", scheduledTime=MOMENT), None)["scheduledTime"] == MOMENT


def test_a_run_without_a_moment_that_the_query_uses_is_told_how_to_give_one(spec: PipelineSpec) -> None:
    assert refusal(spec, run_with(asOf="2026-11-07"), None) == (
        "spec.dataset.query uses scheduledTime, which only a run that a Trigger made has by itself; give it in "
        "spec.parameters, or as penstock run --param scheduledTime=2026-11-07T03:00:00Z."
    )


def test_a_run_that_a_trigger_made_is_of_no_other_moment(spec: PipelineSpec) -> None:
    run = run_with(asOf="2026-11-07", scheduledTime="2026-11-08T03:00:00Z")

    assert "the Trigger made this run for 2026-11-07T03:00:00Z; remove it." in refusal(spec, run)


def test_a_run_without_the_dataset_job_has_none_and_gives_none(spec: PipelineSpec) -> None:
    assert run_parameters(spec, run_with("training", "testing"), MOMENT) == ()
    assert refusal(spec, run_with("training", asOf="2026-11-07")).startswith(
        "spec.parameters gives asOf, and only the dataset job reads with parameters"
    )


def test_they_reach_the_dataset_job_and_its_addresses(spec: PipelineSpec) -> None:
    parameters = run_parameters(spec, run_with(asOf="2026-11-07", region="south"), MOMENT)
    job = dataset_job(spec, RUN, Placed(), JobRequest(name="dataset"), (), parameters)

    assert job.parameters == parameters
    assert job.parameters[0] == ParameterValue(name="asOf", type="Date", value="2026-11-07")
    assert [each.location.uri for each in job.inputs] == ["s3://lake/south/orders/*.parquet"]
    assert job.query is not None
    assert ":asOf" in job.query


@pytest.mark.parametrize("value", ["..", "", "a/b", "*", "%2e%2e"])
def test_a_value_that_is_no_segment_is_refused_where_an_address_has_it(spec: PipelineSpec, value: str) -> None:
    region = DeclaredParameter(name="region", type="String")  # that lists no values
    free = msgspec.structs.replace(spec, parameters=(spec.parameters[0], region, spec.parameters[2]))

    said = refusal(free, run_with(asOf="2026-11-07", region=value))
    assert "for region, which spec.dataset.inputs[0].uri has as a segment of its path; that is 1 to 128 letters" in said


def test_a_run_in_a_file_with_its_pipeline_is_checked_against_it() -> None:
    run = "apiVersion: penstock.dev/v1alpha1\nkind: PipelineRun\nmetadata: {name: sales-1}\nspec:\n"
    run += "  pipelineRef: {name: sales}\n  parameters: [{name: asOf, value: today}]\n"
    checked = check_text(f"{MANIFEST.read_text('utf-8')}---\n{run}", "m.yaml")

    (finding,) = checked.findings
    assert (finding.line, finding.field) == (25, "spec.parameters[0].value")


def test_a_status_has_room_for_the_longest_of_them() -> None:
    many = tuple(ParameterValue(name=f"p{index}", type="String", value="<漢\"'" * 64) for index in range(17))

    said = parameters_in_words(many)
    assert said is not None
    assert len(said) <= PARAMETERS
    assert parameters_in_words(()) is None
