"""A run in which nothing goes wrong: from `kubectl apply` to the Model that is served."""

from typing import Any

import msgspec
import pytest
import yaml

from penstock.api.jobs import EnvironmentVariable, JobSettings
from penstock.api.run import PipelineRun
from penstock.decide.objects.children import STEP
from penstock.decide.run_identity import identity_of
from penstock.decide.settings import Settings
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import DIGEST
from unit.decide_run.model_operator import ModelOperator, advance, settle
from unit.decide_run.runs_at_work import apply_run


def condition(run: dict[str, Any], kind: str = "Succeeded") -> dict[str, Any]:
    return next((each for each in run["status"]["conditions"] if each["type"] == kind), {})


def test_a_run_does_its_jobs_one_after_the_other_and_ends_with_the_model_served() -> None:
    cluster, operator = apply_run()

    run = settle(cluster, operator)

    assert [(step["name"], step["state"]) for step in run["status"]["steps"]] == [
        (name, "Succeeded") for name in ("dataset", "training", "testing", "deployment")
    ]
    assert condition(run)["status"] == "True"
    assert condition(run)["reason"] == "Succeeded"
    assert condition(run, "Reconciling") == {}
    assert [part for _, part, _ in cluster.computed] == ["dataset", "training", "testing"]
    (model,) = cluster.of("Model")
    assert cluster.objects["Pipeline", "churn"]["status"]["servedModel"]["name"] == model["metadata"]["name"]
    assert [each["version"] for each in model["status"]["testing"]] == [3]


def test_the_next_job_is_made_as_soon_as_the_container_has_ended_whatever_its_job_says() -> None:
    cluster, operator = apply_run()
    operator.rest("churn-1")
    for job in cluster.of("Job"):
        cluster.control(job)
    (pod,) = cluster.live_pods()
    cluster.finish(pod)

    operator.rest("churn-1")

    assert [job["metadata"]["labels"][STEP] for job in cluster.of("Job") if not cluster.is_over(job)] == [
        "dataset",
        "training",
    ]


def test_the_execution_name_is_in_the_status_before_the_first_job_is_made() -> None:
    cluster, operator = apply_run()
    operator.looks()
    operator.reconcile("churn-1")

    assert cluster.objects["PipelineRun", "churn-1"]["status"]["executionName"] == "churn-1"
    assert cluster.of("Job") == []


def test_a_run_costs_few_writes() -> None:
    cluster, operator = apply_run(examples.run(jobs=[{"name": name} for name in ("dataset", "training", "testing")]))

    settle(cluster, operator)

    # The revision; specification, Job and results of three; a Model, its scores, its hold on the revision; the status
    # of the run at its beginning and at each step; and that of the Pipeline, which counts.
    assert operator.writes <= 1 + 9 + 3 + 5 + 4


def test_a_revision_is_there_as_long_as_a_model_that_was_made_of_it() -> None:
    cluster, operator = apply_run()

    run = settle(cluster, operator)
    operator.rest("churn-1")

    (revision,) = (each for each in cluster.of("ControllerRevision") if "pipeline" in each["data"])
    (model,) = cluster.of("Model")
    owners = [each["uid"] for each in revision["metadata"]["ownerReferences"]]
    assert owners == [run["metadata"]["uid"], model["metadata"]["uid"]]


def test_a_run_that_has_ended_comes_to_rest_and_stays_as_it_is() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    before = operator.writes
    for _ in range(3):
        advance(cluster)
        operator.rest("churn-1")

    assert operator.writes == before


def test_training_is_shared_out_over_workers_and_the_best_models_of_all_of_them_are_kept() -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(workers=3))

    run = settle(cluster, operator)

    assert [each for each in cluster.computed if each[1] == "training"] == [
        (examples.RUN_UID, "training", index) for index in range(3)
    ]
    assert [model["metadata"]["name"] for model in cluster.of("Model")] == [examples.model_name(0)]
    training = run["status"]["steps"][1]["training"]
    assert (training["total"], training["succeeded"]) == (4, 6)


def test_a_result_that_is_too_long_for_the_pod_is_read_from_its_log() -> None:
    cluster, operator = apply_run()
    cluster.long_messages = True

    assert condition(settle(cluster, operator))["status"] == "True"


def test_a_run_may_do_some_of_the_jobs_with_what_earlier_runs_made() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    uid = "11111111-0000-0000-0000-000000000000"
    cluster.put(examples.run("churn-2", uid, "2026-03-01T13:00:00Z", jobs=[{"name": "testing"}]))

    run = settle(cluster, operator, "churn-2")

    assert [step["name"] for step in run["status"]["steps"]] == ["testing"]
    assert [each for each in cluster.computed if each[0] == uid] == [(uid, "testing", 0)]


def test_a_run_of_another_time_gets_the_wished_name_with_an_index() -> None:
    cluster, operator = apply_run(examples.run(executionName="test"))
    settle(cluster, operator)
    cluster.put(examples.run("other", "1" * 8, "2026-03-01T13:00:00Z", executionName="test"))

    run = settle(cluster, operator, "other")

    assert (run["status"]["executionName"], run["status"]["runIndex"]) == ("test_2", 2)
    assert run["status"]["storage"] == "s3://ml-team/churn/runs/test_2"


def test_a_name_that_the_storage_has_for_another_run_is_left_to_it() -> None:
    cluster, operator = apply_run()
    for name in ("churn-1", "churn-1_2"):
        cluster.claims[f"s3://ml-team/churn/runs/{name}"] = "a run of long ago"

    run = settle(cluster, operator)

    assert condition(run)["status"] == "True"
    assert run["status"]["executionName"] == "churn-1_3"


@pytest.mark.parametrize("jobs", [["dataset"], ["dataset", "training"], ["dataset", "training", "testing"]])
def test_a_run_of_some_jobs_ends_after_the_last_of_them(jobs: list[str]) -> None:
    cluster, operator = apply_run(examples.run(jobs=[{"name": name} for name in jobs]))

    run = settle(cluster, operator)

    assert [step["name"] for step in run["status"]["steps"]] == jobs
    assert condition(run)["message"] == "All its jobs succeeded."


def test_ones_own_operations_are_fetched_once_beside_the_dataset_job() -> None:
    git = {"git": {"url": "https://git.example/team/churn", "revision": "main"}}
    cluster, operator = apply_run(pipeline=examples.pipeline(source=git))
    operator.rest("churn-1")
    begun = {job["metadata"]["labels"][STEP] for job in cluster.of("Job")}

    run = settle(cluster, operator)

    assert begun == {"source", "dataset"}
    assert run["status"]["commit"] == "c" * 40
    assert condition(run)["status"] == "True"
    assert [part for _, part, _ in cluster.computed].count("source") == 1


def test_what_fetches_ones_own_operations_has_nothing_of_what_training_is_given() -> None:
    git = {"git": {"url": "https://git.example/team/churn"}}
    proxy = [{"name": "HTTPS_PROXY", "value": "proxy"}]
    training = {"name": "training", "image": "team/own:1", "gpu": {"count": 1}, "env": proxy}
    cluster, operator = apply_run(pipeline=examples.pipeline(source=git, jobs=[training]))
    operator.rest("churn-1")
    (source,) = [job for job in cluster.of("Job") if job["metadata"]["labels"][STEP] == "source"]

    (container,) = source["spec"]["template"]["spec"]["containers"]

    assert container["image"] == "penstock/source"
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert "HTTPS_PROXY" not in [each["name"] for each in container["env"]]


def test_what_fetches_ones_own_operations_is_given_the_proxy_of_who_runs_the_operator() -> None:
    git = {"git": {"url": "https://git.example/team/churn"}}
    proxy = EnvironmentVariable(name="HTTPS_PROXY", value="proxy")
    cluster, _ = apply_run(pipeline=examples.pipeline(source=git))
    operator = ModelOperator(cluster, Settings(defaults=JobSettings(env=(proxy,))))
    operator.rest("churn-1")
    (source,) = [job for job in cluster.of("Job") if job["metadata"]["labels"][STEP] == "source"]

    (container,) = source["spec"]["template"]["spec"]["containers"]

    assert {"name": "HTTPS_PROXY", "value": "proxy"} in container["env"]


def test_a_run_says_which_image_its_jobs_ran_in() -> None:
    cluster, operator = apply_run()

    assert settle(cluster, operator)["status"]["imageDigest"] == DIGEST


def test_every_pod_after_the_first_has_the_image_that_the_first_one_found() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)

    images = {job["metadata"]["labels"][STEP]: image_of(job) for job in cluster.of("Job")}

    assert images == {
        "dataset": "penstock/jobs",
        "training": f"penstock/jobs@{DIGEST}",
        "testing": f"penstock/jobs@{DIGEST}",
    }


def test_the_snapshot_says_the_tables_and_the_images_once_they_are_known() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)

    resolved = {part: snapshot_of(cluster, part)[-1]["resolved"] for part in ("dataset", "training", "testing")}

    identity = identity_of(msgspec.convert(examples.run(), PipelineRun))
    assert resolved["dataset"] == {"executionName": "churn-1", "identity": identity}
    assert resolved["training"] == resolved["testing"]
    assert resolved["training"]["images"] == {"penstock/jobs": f"penstock/jobs@{DIGEST}"}
    assert [(table["name"], table["version"]) for table in resolved["training"]["tables"]] == [
        ("training", 3),
        ("validation", 3),
        ("testing", 3),
    ]


def image_of(job: Any) -> str:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def snapshot_of(cluster: Any, part: str) -> list[Any]:
    """Return the documents that the pods of this part are given as the snapshot of their run."""
    (found,) = [each for each in cluster.ever("ConfigMap") if each["metadata"]["labels"].get(STEP) == part]
    return list(yaml.safe_load_all(found["data"]["snapshot.yaml"]))
