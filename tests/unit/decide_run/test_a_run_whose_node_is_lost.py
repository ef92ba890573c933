"""A node that is lost: what ran there begins again elsewhere, and nobody waits for it without limit."""

from datetime import timedelta

from penstock.decide.observed.pods import LONGEST_ENDING
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, settle
from unit.decide_run.runs_at_work import advance_to_pod, control_jobs, pod_of, read_condition, step

NODE = "worker-1"


def lose_node(cluster: ModelCluster) -> Object:
    """Let the node of the running pod vanish: the pod is being deleted, and nobody there can end it."""
    pod = pod_of(cluster)
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}
    return cluster.put(
        {
            **pod,
            "metadata": {**pod["metadata"], "deletionTimestamp": cluster.time},
            "spec": {"nodeName": NODE},
            "status": {**pod["status"], "conditions": [condition]},
        }
    )


def at_work() -> tuple[ModelCluster, ModelOperator]:
    cluster, operator = advance_to_pod()
    cluster.begin(pod_of(cluster))
    cluster.advance_clock(60)
    operator.rest("churn-1")
    return cluster, operator


def test_a_pod_that_should_have_ended_long_ago_is_given_up_and_its_part_begins_again() -> None:
    cluster, operator = at_work()
    lost, job = lose_node(cluster), cluster.of("Job")[0]
    operator.looks()
    decision = operator.reconcile("churn-1")
    assert decision.requeue_after is not None
    assert decision.requeue_after <= LONGEST_ENDING.total_seconds() + 1
    assert cluster.of("Job") == [job]

    cluster.advance_clock(LONGEST_ENDING.total_seconds() + 2)
    operator.looks()
    operator.reconcile("churn-1")
    now = step(cluster, "dataset")
    assert (now["state"], now["reason"]) == ("Waiting", "Disrupted")
    assert NODE in now["message"]
    cluster.put(lost)  # the Job has gone, and its pod is still there as far as anybody knows

    run = settle(cluster, operator)
    assert run["status"]["conditions"][0]["status"] == "True"
    assert len(cluster.computed) == len(set(cluster.computed))


def test_another_run_does_not_wait_for_ever_for_one_whose_node_is_lost() -> None:
    cluster, operator = at_work()
    lose_node(cluster)
    cluster.put(examples.run("churn-2", "22222222-second", cluster.time))

    settle(cluster, operator, "churn-1", "churn-2")

    for name in ("churn-1", "churn-2"):
        assert cluster.objects["PipelineRun", name]["status"]["conditions"][0]["status"] == "True"


def test_a_job_that_was_failing_when_its_node_was_lost_has_failed() -> None:
    cluster, operator = at_work()
    job = cluster.of("Job")[0]
    target = {
        "type": "FailureTarget",
        "status": "True",
        "reason": "DeadlineExceeded",
        "lastTransitionTime": cluster.time,
    }
    cluster.put({**job, "status": {"conditions": [target]}})
    lose_node(cluster)
    cluster.advance_clock(LONGEST_ENDING.total_seconds() + 2)

    assert read_condition(cluster, operator)[:2] == ("False", "DeadlineExceeded")


def test_a_run_that_has_not_ended_is_always_looked_at_again() -> None:
    cluster, operator = at_work()
    cluster.put(examples.run("churn-2", "22222222-second", cluster.time))
    for _ in range(3):
        operator.looks()
        decision = operator.reconcile("churn-2")

    conditions = cluster.objects["PipelineRun", "churn-2"]["status"]["conditions"]
    assert conditions[0]["reason"] == "EarlierRun"
    assert decision.requeue_after is not None
    assert timedelta(seconds=decision.requeue_after) <= timedelta(minutes=10)


def test_a_jobs_ceiling_leaves_room_for_the_pending_limit_that_holds_whoever_set_it() -> None:
    pipeline = examples.pipeline(jobs=[{"name": "dataset", "timeout": "30m", "retries": {"limit": 0}}])
    cluster = ModelCluster()
    cluster.put(pipeline)
    cluster.put(examples.run())
    operator = ModelOperator(cluster)
    operator.rest("churn-1")
    control_jobs(cluster)
    cluster.unschedulable(pod_of(cluster), "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")

    ceiling = cluster.of("Job")[0]["spec"]["activeDeadlineSeconds"]
    assert ceiling > timedelta(hours=24).total_seconds()

    cluster.advance_clock(timedelta(hours=24).total_seconds())
    assert read_condition(cluster, operator)[:2] == ("Unknown", "PendingLimitExceeded")
