"""A run does its jobs otherwise than its Pipeline says: overrides, options, storage, credentials."""

from typing import Any

import msgspec
import pytest

from penstock.decide.objects.children import RUN_UID, STEP
from penstock.decide.objects.folders import SNAPSHOT, SPECIFICATION
from penstock.decide.settings import Settings
from penstock_jobs.contract.specification import DatasetJob, JobSpecification, TrainingJob
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import apply_run, read_condition

KEEP = {"path": "training.keep", "value": 2}
ENV = {"path": "jobs.dataset.env", "value": [{"name": "STAGE", "value": "test"}]}


def specification(cluster: ModelCluster, part: str, uid: str = examples.RUN_UID) -> JobSpecification:
    (found,) = (
        each
        for each in cluster.ever("ConfigMap")
        if (each["metadata"]["labels"].get(STEP), each["metadata"]["labels"].get(RUN_UID)) == (part, uid)
    )
    decoded: JobSpecification = msgspec.json.decode(found["data"][SPECIFICATION], type=JobSpecification)
    return decoded


def ended(**spec: Any) -> ModelCluster:
    cluster, operator = apply_run(examples.run(**spec))
    settle(cluster, operator)
    return cluster


def job_of(cluster: ModelCluster, part: str) -> Object:
    (found,) = (each for each in cluster.of("Job") if each["metadata"]["labels"][STEP] == part)
    return found


def test_an_override_holds_for_its_run_and_for_nothing_else() -> None:
    cluster = ended(overrides=[KEEP, {"path": "dataset.split.testing", "value": "40%"}])

    training, dataset = specification(cluster, "training"), specification(cluster, "dataset")
    assert isinstance(training, TrainingJob)
    assert isinstance(dataset, DatasetJob)
    assert training.keep == 2
    assert dataset.split.testing == 0.4
    assert "keep" not in cluster.objects["Pipeline", "churn"]["spec"]["training"]


def test_an_override_is_part_of_what_the_run_was() -> None:
    cluster = ended(overrides=[KEEP])

    (revision,) = (each for each in cluster.of("ControllerRevision") if "pipeline" in each["data"])
    assert revision["data"]["pipeline"]["spec"]["training"]["keep"] == 2
    (asked,) = (each for each in cluster.ever("ConfigMap") if each["metadata"]["labels"].get(STEP) == "dataset")
    assert "keep: 2" in asked["data"][SNAPSHOT]


def test_overrides_that_make_a_wrong_pipeline_are_refused_in_its_sentence() -> None:
    cluster, operator = apply_run(examples.run(overrides=[{"path": "training.keep", "value": 0}]))

    assert read_condition(cluster, operator) == (
        "False",
        "Refused",
        "spec.overrides[0].value is 0, which is too little; give it 1 at least.",
    )
    assert cluster.of("Job") == []


@pytest.mark.parametrize("path", ["jobs.training", "jobs.training.podTemplate", "models.trustedTypes"])
def test_an_override_that_no_run_may_make_is_refused_whatever_the_crd_let_through(path: str) -> None:
    cluster, operator = apply_run(examples.run(overrides=[{"path": path, "value": {}}]))

    _, reason, sentence = read_condition(cluster, operator)
    assert reason == "Refused"
    assert sentence.startswith("spec.overrides[0].path: No run may override this field, or one that is beneath it;")
    assert cluster.of("Job") == []


def test_an_override_for_who_may_update_the_pipeline_is_refused_where_nobody_asks_for_that_right() -> None:
    cluster, operator = apply_run(examples.run(overrides=[KEEP, ENV]))

    status, reason, sentence = read_condition(cluster, operator)
    assert (status, reason) == ("False", "Refused")
    assert sentence == (
        "spec.overrides[1].path is jobs.dataset.env, which is for who may update the Pipeline churn, and the cluster "
        "does not ask for that right; change the Pipeline, or have the chart's admissionPolicies turned on."
    )
    assert cluster.of("Job") == []


def test_an_override_for_who_may_update_the_pipeline_holds_where_the_api_server_asked_for_that_right() -> None:
    cluster, _ = apply_run(examples.run(overrides=[ENV]))
    settle(cluster, ModelOperator(cluster, Settings(rights_checked=True)))

    container = job_of(cluster, "dataset")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "STAGE", "value": "test"} in container["env"]


def test_options_of_a_job_go_before_what_the_pipeline_says() -> None:
    asked = {
        "name": "training",
        "parallelism": 2,
        "threads": 3,
        "timeout": "30m",
        "pendingLimit": "5m",
        "resources": {"requests": {"cpu": "2"}, "limits": {"memory": "3Gi"}},
        "gpu": {"count": 2},
    }
    cluster = ended(jobs=[{"name": "dataset"}, asked, {"name": "testing"}])

    job, training = job_of(cluster, "training"), specification(cluster, "training")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert isinstance(training, TrainingJob)
    assert (training.workers, training.threads, training.timeout, training.memory) == (2, 3, 1800, 3 * 2**30)
    assert job["spec"]["completions"] == 2
    assert container["resources"]["requests"]["cpu"] == "2"
    assert container["resources"]["limits"] == {"memory": "3Gi", "nvidia.com/gpu": "2"}
    assert job_of(cluster, "testing")["spec"]["completions"] == 1


def test_a_runs_own_storage_takes_its_files_and_never_its_tables() -> None:
    own = {"s3": {"bucket": "scratch", "prefix": "me"}, "credentials": {"write": {"secretName": "scratch-write"}}}
    cluster = ended(storage=own)

    dataset, training = specification(cluster, "dataset"), specification(cluster, "training")
    assert isinstance(dataset, DatasetJob)
    assert isinstance(training, TrainingJob)
    assert dataset.storage.uri == training.storage.uri == "s3://ml-team/churn"
    assert dataset.run_storage.uri == training.run_storage.uri == "s3://scratch/me/runs/churn-1"
    assert training.models.uri == "s3://ml-team/churn/models"
    assert "scratch-write" in secrets(job_of(cluster, "training"))
    assert cluster.objects["PipelineRun", "churn-1"]["status"]["storage"] == "s3://scratch/me/runs/churn-1"


def test_a_runs_own_credentials_are_mounted_in_place_of_the_pipelines() -> None:
    table = {"name": "customers", "uri": "s3://lake/customers.parquet", "credentials": {"secretName": "lake"}}
    dataset = {**examples.PIPELINE["spec"]["dataset"], "inputs": [table]}
    given = {"inputs": [{"name": "customers", "secret": {"secretName": "mine"}}]}
    cluster, operator = apply_run(examples.run(credentials=given), examples.pipeline(dataset=dataset))
    settle(cluster, operator)

    assert secrets(job_of(cluster, "dataset")) == {"mine"}
    assert secrets(job_of(cluster, "training")) == set()


def secrets(job: Object) -> set[str]:
    return {each["secret"]["secretName"] for each in job["spec"]["template"]["spec"]["volumes"] if "secret" in each}
