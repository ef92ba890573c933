"""A run says how its jobs are done this time: other values, another storage, suspended, retried, bounded in time."""

import json

import pytest

from cluster.kubernetes_api import JOBS, Resource
from cluster.sites import RUNS, Site, step_of
from penstock.decide.objects.children import ATTEMPT

QUOTAS = Resource("v1", "resourcequotas")
NO_SERVER = "http://127.0.0.1:9"  # nothing listens there, so a connection is refused at once


def test_a_run_has_other_values_and_keeps_its_files_elsewhere_with_credentials_of_its_own(site: Site) -> None:
    pipeline = site.pipeline("other")
    storage = site.manifest("other")["spec"]["storage"]
    storage["s3"]["prefix"] = f"{site.namespace}/scratch"
    run = site.run(
        pipeline,
        storage=storage,
        overrides=[{"path": "dataset.split.testing", "value": "50%"}],
        credentials={"inputs": [{"name": table["name"], "secret": table["credentials"]} for table in inputs(site)]},
    )

    dataset = step_of(site.wait_for_success(run), "dataset")["dataset"]
    rows = {table["name"]: table["rows"] for table in dataset["tables"]}
    assert 0.4 < rows["testing"] / sum(rows.values()) < 0.6
    assert all(f"{site.namespace}/other/datasets/" in table["uri"] for table in dataset["tables"])
    status = site.api.get(RUNS, run, site.namespace)["status"]
    assert status["storage"].endswith(f"{site.namespace}/scratch/runs/{run}")
    assert b"testing: 50%" in site.store(run).read("snapshot.yaml")


def test_a_run_whose_overrides_make_a_wrong_pipeline_is_refused_and_starts_nothing(site: Site) -> None:
    run = site.run(site.pipeline("wrong"), overrides=[{"path": "training.keep", "value": 0}])

    assert site.wait_for_failure(run) == (
        "Refused",
        "spec.overrides[0].value is 0, which is too little; give it 1 at least.",
    )
    assert site.jobs(run) == []


def test_a_job_that_failed_for_what_may_pass_is_tried_again_after_the_wait_that_was_asked_for(site: Site) -> None:
    storage = {"s3": {"bucket": "nowhere", "endpoint": NO_SERVER}, **credentials(site)}
    retries = {"retries": {"limit": 1, "backoff": "3s"}}
    run = site.run(site.pipeline("down"), storage=storage, jobs=[{"name": "dataset", **retries}])

    site.wait_for_reason(run, "Retrying", "Try 2 of 2 begins at", seconds=120)
    reason, message = site.wait_for_failure(run)

    assert reason == "Unavailable", message
    first, second = sorted(site.jobs(run), key=lambda job: str(job["metadata"]["creationTimestamp"]))
    assert ATTEMPT not in first["metadata"]["labels"]
    assert second["metadata"]["labels"][ATTEMPT] == "2"
    assert all(job["spec"]["backoffLimit"] == 0 for job in (first, second))


def test_a_suspended_run_leaves_its_queue_and_comes_back_to_it(site: Site) -> None:
    run = site.run(site.pipeline("queued", jobs__dataset={"queueName": "nobody-made-it"}))
    site.wait_for_reason(run, "Queued")
    (first,) = site.jobs(run)

    site.api.patch(RUNS, run, {"spec": {"suspend": True}}, site.namespace)
    site.wait_for_reason(run, "Suspended", "does not start its dataset step")
    site.api.wait_until_gone(JOBS, first["metadata"]["name"], site.namespace)
    site.api.patch(RUNS, run, {"spec": {"suspend": False}}, site.namespace)

    site.wait_for_reason(run, "Queued")
    (second,) = site.jobs(run)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    site.cancel(run)


def test_a_run_that_is_suspended_between_its_steps_goes_on_where_it_was(site: Site) -> None:
    run = site.run(site.pipeline("between"), "dataset", "training", suspend=True)
    site.wait_for_reason(run, "Suspended", "does not start its dataset step")
    assert site.jobs(run) == []

    site.api.patch(RUNS, run, {"spec": {"suspend": False}}, site.namespace)
    site.wait_until(run, lambda there: step_of(there, "dataset").get("jobName"), "a dataset Job")
    site.api.patch(RUNS, run, {"spec": {"suspend": True}}, site.namespace)
    site.wait_for_reason(run, "Suspended", "does not start its training step", seconds=120)
    assert len(site.jobs(run)) == 1

    site.api.patch(RUNS, run, {"spec": {"suspend": False}}, site.namespace)
    site.wait_for_success(run)
    assert len(site.jobs(run)) == 2


def test_a_run_takes_no_longer_than_it_may_and_leaves_nothing(site: Site) -> None:
    nowhere = {"nodeSelector": {"penstock-test": "nowhere"}}
    run = site.run(site.pipeline("long", jobs__dataset=nowhere), timeout="8s")

    reason, message = site.wait_for_failure(run)

    assert (reason, "after its spec.timeout of 8s" in message) == ("TimedOut", True)
    assert site.jobs(run) == []
    assert site.pods(run) == []


@pytest.fixture
def full(site: Site) -> str:
    """A quota of no Jobs."""
    made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-jobs"}}
    site.api.create({**made, "spec": {"hard": {"count/jobs.batch": "0"}}}, site.namespace)
    site.api.wait_for(
        QUOTAS,
        "no-jobs",
        site.namespace,
        lambda quota: (quota.get("status") or {}).get("hard"),
        what="a quota in force",
    )
    return "no-jobs"


def test_a_job_that_a_quota_refuses_is_waited_for_as_long_as_its_pending_limit_lets_it(site: Site, full: str) -> None:
    run = site.run(site.pipeline("full"), jobs=[{"name": "dataset", "pendingLimit": "6s"}])

    site.wait_for_reason(run, "QuotaExceeded", "exceeded quota: no-jobs")
    reason, message = site.wait_for_failure(run)
    site.api.delete(QUOTAS, full, site.namespace)

    assert reason == "PendingLimitExceeded"
    assert "pendingLimit of 6s" in message
    assert "exceeded quota: no-jobs" in message
    assert site.jobs(run) == []


def inputs(site: Site) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = json.loads(json.dumps(site.manifest("other")["spec"]["dataset"]["inputs"]))
    return found


def credentials(site: Site) -> dict[str, object]:
    return {"credentials": site.manifest("down")["spec"]["storage"]["credentials"]}
