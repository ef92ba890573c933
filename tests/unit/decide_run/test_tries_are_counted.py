"""How often a part was tried is what Penstock wrote: a cleaner of Jobs begins no new count, and costs no try."""

import pytest

from penstock.decide.run.retries import MOST_INTERRUPTIONS
from penstock_jobs.contract import errors
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of, read_condition, step


def tried(limit: int, part: str = "dataset") -> tuple[ModelCluster, ModelOperator]:
    """Return a run whose job of that part may be tried again so often."""
    jobs = [{"name": part, "retries": {"limit": limit, "backoff": "30s"}}]
    cluster, operator = apply_run(pipeline=examples.pipeline(jobs=jobs))
    operator.rest("churn-1")
    control_jobs(cluster)
    return cluster, operator


def fail(cluster: ModelCluster, code: int = errors.UNAVAILABLE) -> None:
    cluster.end(pod_of(cluster), code)
    control_jobs(cluster)


def delete_jobs(cluster: ModelCluster) -> None:
    """Delete all Jobs and pods, as a cleaner does that looks at no owner."""
    for job in cluster.of("Job"):
        cluster.remove(("Job", job["metadata"]["name"]))
    for pod in cluster.of("Pod"):
        cluster.remove(("Pod", pod["metadata"]["name"]))


def lose_status(cluster: ModelCluster) -> None:
    """Lose what the status says of tries; its name, and what else it has, is found in other ways."""
    there = cluster.objects["PipelineRun", "churn-1"]
    steps = [{name: each[name] for name in ("name", "state")} for each in there["status"]["steps"]]
    cluster.put({**there, "status": {**there["status"], "steps": steps}})


def test_a_failed_try_counts_when_its_job_is_deleted_after_it() -> None:
    cluster, operator = tried(limit=1)
    for number in (1, 2):
        fail(cluster)
        operator.rest("churn-1")
        assert (step(cluster, "dataset").get("tries") or {}).get("number") == 2, number
        delete_jobs(cluster)
        cluster.advance_clock(30)
        operator.rest("churn-1")
        control_jobs(cluster)

    assert read_condition(cluster)[:2] == ("False", "Failed")
    assert len([each for each in cluster.history if each["kind"] == "Job" and "status" not in each]) == 2


def test_a_job_that_is_deleted_while_the_next_try_waits_does_not_shorten_the_wait() -> None:
    cluster, operator = tried(limit=1)
    fail(cluster)
    operator.rest("churn-1")
    said = step(cluster, "dataset")["message"]
    delete_jobs(cluster)

    decision = operator.rest("churn-1")

    assert decision.requeue_after == 30
    assert cluster.of("Job") == []
    assert step(cluster, "dataset")["message"] == said


def test_tries_are_counted_on_from_the_last_job_where_the_status_is_lost() -> None:
    cluster, operator = tried(limit=1)
    fail(cluster)
    operator.rest("churn-1")
    cluster.advance_clock(30)
    operator.rest("churn-1")
    first, second = sorted(cluster.of("Job"), key=lambda each: str(each["metadata"]["labels"]))[::-1]
    assert second["metadata"]["labels"]["penstock.dev/failed-tries"] == "1"
    cluster.remove(("Job", first["metadata"]["name"]))
    lose_status(cluster)
    operator.rest("churn-1")
    assert step(cluster, "dataset")["tries"]["failed"] == 1

    control_jobs(cluster)
    fail(cluster)

    assert read_condition(cluster, operator)[:2] == ("False", "Failed")


@pytest.mark.parametrize("limit", [0, 2])
def test_a_pending_pod_that_is_deleted_costs_no_try(limit: int) -> None:
    cluster, operator = tried(limit)
    for number in range(1, 4):
        cluster.unschedulable(pod_of(cluster))
        operator.rest("churn-1")
        cluster.delete_pending(pod_of(cluster))
        control_jobs(cluster)
        operator.rest("churn-1")
        assert "failed" not in step(cluster, "dataset")["tries"]
        assert step(cluster, "dataset")["tries"]["interrupted"] == number
        assert "not counted as a try" in step(cluster, "dataset")["message"]
        cluster.advance_clock(60)
        operator.rest("churn-1")
        control_jobs(cluster)
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_pod_that_is_deleted_while_its_image_is_pulled_costs_no_try() -> None:
    cluster, operator = tried(limit=0)
    pod = pod_of(cluster)
    never = {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None}
    cluster.end(pod, 137)
    state = {"name": "job", "state": {"terminated": never}}
    cluster.put({**pod, "status": {"phase": "Failed", "containerStatuses": [state]}})
    control_jobs(cluster)

    assert read_condition(cluster, operator)[:2] == ("Unknown", "Retrying")
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_job_that_is_deleted_costs_no_try_and_finds_its_result_in_storage() -> None:
    cluster, operator = tried(limit=0)
    cluster.finish(pod_of(cluster))
    control_jobs(cluster)
    delete_jobs(cluster)  # before anybody saw what it came to
    settle(cluster, operator)

    assert read_condition(cluster)[0] == "True"
    assert len(cluster.computed) == len(set(cluster.computed))


def test_a_job_that_somebody_deletes_whenever_it_is_there_is_made_after_longer_and_longer_waits_and_given_up() -> None:
    cluster, operator = tried(limit=2)
    waits = []
    for _ in range(MOST_INTERRUPTIONS + 1):
        delete_jobs(cluster)
        decision = operator.rest("churn-1")
        if read_condition(cluster)[0] == "False":
            break
        assert decision.requeue_after is not None
        waits.append(decision.requeue_after)
        cluster.advance_clock(decision.requeue_after)
        operator.rest("churn-1")

    assert waits == [10.0 * 2**number for number in range(9)] + [3600.0]
    assert read_condition(cluster)[:2] == ("False", "TakenAway")
    assert "see who deletes Jobs" in read_condition(cluster)[2]


def test_a_run_that_took_one_try_says_nothing_of_tries_when_it_has_ended() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)

    assert [each.get("tries") for each in cluster.objects["PipelineRun", "churn-1"]["status"]["steps"]] == [None] * 4


def test_a_run_whose_name_was_taken_counts_its_tries_under_the_next_one() -> None:
    cluster, operator = advance_to_pod()
    cluster.claims[cluster.objects["PipelineRun", "churn-1"]["status"]["storage"]] = "another run"
    cluster.finish(pod_of(cluster))
    control_jobs(cluster)
    operator.rest("churn-1")

    assert cluster.objects["PipelineRun", "churn-1"]["status"]["executionName"] == "churn-1_2"
    assert set(step(cluster, "dataset")["tries"]) == {"part", "startTime"}
