"""Parameters of a run on a cluster: recorded before its first Job, bound by its dataset job, or refused."""

from typing import Any

import msgspec
import pytest

from penstock.decide.objects.children import STEP
from penstock.decide.objects.folders import SNAPSHOT
from penstock.decide.pipeline.reconcile import decide as decide_pipeline
from penstock_jobs.contract.parameters import ParameterValue
from penstock_jobs.contract.specification import DatasetJob
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_operator import settle
from unit.decide_run.runs_at_work import apply_run, read_condition
from unit.decide_run.test_a_run_that_is_otherwise import specification

AS_OF = ParameterValue(name="asOf", type="Date", value="2026-11-07")
REGION = ParameterValue(name="region", type="String", value="north")
GIVEN = [{"name": "asOf", "value": "2026-11-07"}]


def with_parameters(**dataset: Any) -> dict[str, Any]:
    """Return the Pipeline with two parameters, one for the query and one for the address."""
    there = examples.pipeline()["spec"]["dataset"]
    used = {
        "inputs": [{"name": "customers", "uri": "s3://lake/{region}/customers.parquet"}],
        "query": "SELECT * FROM customers WHERE day <= :asOf",
    }
    return examples.pipeline(
        parameters=[{"name": "asOf", "type": "Date"}, {"name": "region", "type": "String", "default": "north"}],
        dataset={**there, **used, **dataset},
    )


def test_they_are_recorded_with_the_run_and_reach_its_dataset_job() -> None:
    cluster, operator = apply_run(examples.run(parameters=GIVEN), with_parameters())
    settle(cluster, operator)

    job = specification(cluster, "dataset")
    assert isinstance(job, DatasetJob)
    assert job.parameters == (AS_OF, REGION)
    assert [each.location.uri for each in job.inputs] == ["s3://lake/north/customers.parquet"]
    (revision,) = (each for each in cluster.of("ControllerRevision") if "pipeline" in each["data"])
    assert msgspec.convert(revision["data"]["parameters"], tuple[ParameterValue, ...]) == (AS_OF, REGION)
    assert revision["data"]["pipeline"]["spec"]["dataset"]["inputs"][0]["uri"] == "s3://lake/{region}/customers.parquet"
    (asked,) = (each for each in cluster.ever("ConfigMap") if each["metadata"]["labels"].get(STEP) == "dataset")
    assert "value: '2026-11-07'" in asked["data"][SNAPSHOT]
    assert cluster.objects["PipelineRun", "churn-1"]["status"]["parameters"] == "asOf=2026-11-07, region=north"


def test_what_the_pipeline_says_later_is_for_later_runs() -> None:
    cluster, operator = apply_run(examples.run(parameters=GIVEN), with_parameters())
    operator.rest("churn-1")
    later = with_parameters()
    later["spec"]["parameters"][1]["default"] = "south"
    cluster.put(later)
    settle(cluster, operator)

    job = specification(cluster, "dataset")
    assert isinstance(job, DatasetJob)
    assert job.parameters == (AS_OF, REGION)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "spec.parameters gives no asOf, a Date for which the Pipeline has no default"),
        ([{"name": "asOf", "value": "2026-02-30"}], "which is not a Date of the calendar"),
        ([*GIVEN, {"name": "region", "value": ".."}], "spec.dataset.inputs[0].uri has as a segment of its path"),
        ([*GIVEN, {"name": "until", "value": "x"}], "is until, which the Pipeline does not declare"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_job(given: list[dict[str, str]], sentence: str) -> None:
    cluster, operator = apply_run(examples.run(parameters=given), with_parameters())

    status, reason, message = read_condition(cluster, operator)
    assert (status, reason) == ("False", "Refused")
    assert sentence in message
    assert cluster.of("Job") == []


def test_a_pipeline_whose_parameters_cannot_work_says_so() -> None:
    cluster, operator = apply_run(pipeline=with_parameters(query="SELECT * FROM customers WHERE day <= :asof"))
    operator.looks()

    decision = decide_pipeline(operator.pipeline_observation(operator.seen["Pipeline", "churn"]), cluster.now)

    assert decision.status is not None
    ready = decision.status.conditions[0]  # type: ignore[attr-defined]
    assert (ready.status, ready.reason) == ("False", "Invalid")
    assert "spec.dataset.query has :asof, and spec.parameters declares no asof" in ready.message
