"""What a run says and does while something is in its way, or has to be done again: waiting is not failing."""

from dataclasses import replace

import pytest

from penstock.decide.objects.children import STEP
from penstock.decide.run.reconcile import decide
from penstock_jobs.contract import errors
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_operator import settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, control_jobs, pod_of, read_condition, step


def test_a_run_may_be_applied_before_its_pipeline() -> None:
    cluster, operator = apply_run()
    there = cluster.objects.pop(("Pipeline", "churn"))

    assert read_condition(cluster, operator) == (
        "Unknown",
        "PipelineNotFound",
        "There is no Pipeline churn in this namespace yet; the run begins when it is applied.",
    )
    cluster.put(there)
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_pod_without_a_node_waits_in_the_schedulers_own_words() -> None:
    cluster, operator = advance_to_pod()
    cluster.unschedulable(pod_of(cluster), "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")

    assert read_condition(cluster, operator) == (
        "Unknown",
        "Unschedulable",
        "The dataset step waits: No node takes its pod: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    )
    assert step(cluster, "dataset")["state"] == "Waiting"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ErrImagePull", "ImageNotPulled"),
        ("ImagePullBackOff", "ImageNotPulled"),
        ("InvalidImageName", "ImageNotPulled"),
        ("CreateContainerConfigError", "ContainerNotMade"),
    ],
)
def test_a_container_that_cannot_be_made_waits_in_the_kubelets_own_words(reason: str, expected: str) -> None:
    cluster, operator = advance_to_pod()
    state = {"name": "job", "state": {"waiting": {"reason": reason, "message": "its own words"}}}
    cluster.put({**pod_of(cluster), "status": {"phase": "Pending", "containerStatuses": [state]}})

    assert read_condition(cluster, operator)[1] == expected
    assert f"({reason}): its own words" in step(cluster, "dataset")["message"]


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_what_only_events_of_kubernetes_tell_is_told(kind: str) -> None:
    """A quota shows in an event of the Job, a Secret that is missing in an event of the pod."""
    cluster, operator = advance_to_pod()
    about = cluster.of(kind)[0]
    if kind == "Job":
        cluster.remove(("Pod", pod_of(cluster)["metadata"]["name"]))
    reason, message = (
        ("FailedCreate", "exceeded quota: gpus") if kind == "Job" else ("FailedMount", 'secret "s" not found')
    )
    event = {"metadata": {}, "involvedObject": {"uid": about["metadata"]["uid"]}, "reason": reason, "message": message}
    operator.looks()
    cluster.advance_clock(10)

    decision = decide(replace(operator.observation("churn-1"), events=(event,)), cluster.now)

    assert decision.status is not None
    assert message in decision.status.conditions[0].message  # type: ignore[attr-defined]
    expected = "QuotaExceeded" if kind == "Job" else "NotMounted"
    assert decision.status.conditions[0].reason == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ("limits.memory for: job", "spec.jobs[dataset].resources.limits.memory"),
        ("limits.cpu for: mesh; limits.memory for: job,mesh", "spec.jobs[dataset].resources.limits.memory"),
        (
            "limits.cpu,memory",
            "spec.jobs[dataset].resources.limits.cpu, spec.jobs[dataset].resources.requests.memory",
        ),
        ("limits.memory for: mesh", None),
        ("requests.nvidia.com/gpu for: job", None),
    ],
)
def test_a_quota_that_wants_amounts_is_told_with_the_fields_that_say_them(wanted: str, fields: str | None) -> None:
    cluster, operator = advance_to_pod()
    job = cluster.of("Job")[0]
    cluster.remove(("Pod", pod_of(cluster)["metadata"]["name"]))
    message = f'Error creating: pods "x" is forbidden: failed quota: compute: must specify {wanted}'
    about = {"uid": job["metadata"]["uid"]}
    event = {"metadata": {}, "involvedObject": about, "reason": "FailedCreate", "message": message}
    operator.looks()

    decision = decide(replace(operator.observation("churn-1"), events=(event,)), cluster.now)

    assert decision.status is not None
    said = decision.status.conditions[0]  # type: ignore[attr-defined]
    assert said.reason == "Forbidden"
    assert message in said.message
    assert (f"The quota compute takes only pods that say how much they want; set {fields} in" in said.message) == (
        fields is not None
    )
    assert fields is not None or "The quota compute" not in said.message


def test_a_pod_that_starts_as_pods_do_is_not_said_to_wait() -> None:
    cluster, operator = advance_to_pod()
    cluster.advance_clock(1)

    assert read_condition(cluster, operator)[1] == "Running"
    cluster.advance_clock(10)
    assert read_condition(cluster, operator)[1] == "Starting"


def test_waiting_ends_at_the_pending_limit_which_is_not_the_jobs_timeout() -> None:
    cluster, operator = advance_to_pod()
    cluster.unschedulable(pod_of(cluster))
    decision = operator.rest("churn-1")
    assert decision.requeue_after == 3600
    cluster.advance_clock(3600)

    for _ in range(3):
        operator.rest("churn-1")
        for pod in list(cluster.live_pods()):
            cluster.remove(("Pod", pod["metadata"]["name"]))

    status, reason, message = read_condition(cluster, operator)
    assert (status, reason) == ("False", "PendingLimitExceeded")
    assert message.startswith(
        "The dataset step failed: It waited longer than its pendingLimit of 1h. No node takes its pod"
    )
    assert cluster.of("Job") == []


def test_a_write_that_a_quota_refuses_makes_the_run_wait_until_it_is_lifted() -> None:
    cluster, operator = apply_run()
    operator.forbidden = "Job"
    for _ in range(3):
        operator.looks()
        decision = operator.reconcile("churn-1")

    assert read_condition(cluster)[1] == "QuotaExceeded"
    assert decision.requeue_after == 30
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


@pytest.mark.parametrize("kind", ["ControllerRevision", "Job"])
def test_what_a_quota_refuses_is_waited_for_as_long_as_the_pending_limit_lets_it(kind: str) -> None:
    limit = {"Job": 3600, "ControllerRevision": 24 * 3600}[kind]
    cluster, operator = apply_run()
    operator.forbidden = kind
    for seconds in (0, limit - 1):
        cluster.advance_clock(seconds)
        for _ in range(3):
            operator.looks()
            decision = operator.reconcile("churn-1")
        assert read_condition(cluster)[:2] == ("Unknown", "QuotaExceeded")
    assert decision.requeue_after == 1
    cluster.advance_clock(1)
    for _ in range(3):
        operator.looks()
        operator.reconcile("churn-1")

    status, reason, message = read_condition(cluster)

    assert (status, reason) == ("False", "PendingLimitExceeded")
    assert "exceeded quota: pods, used: 3, limited: 3" in message
    assert cluster.of("Job") == []


def test_a_run_takes_no_longer_than_it_may_and_leaves_nothing_running() -> None:
    cluster, operator = advance_to_pod(examples.run(timeout="2h"))
    cluster.begin(pod_of(cluster))
    assert operator.rest("churn-1").requeue_after is not None
    cluster.advance_clock(2 * 3600)
    operator.rest("churn-1")
    for pod in list(cluster.live_pods()):
        cluster.remove(("Pod", pod["metadata"]["name"]))

    assert read_condition(cluster, operator) == (
        "False",
        "TimedOut",
        "The dataset step failed: The run was still going on after its spec.timeout of 2h; give it more time.",
    )
    assert cluster.of("Job") == []


def test_a_job_that_waits_in_a_queue_says_why_where_the_queue_does() -> None:
    cluster, operator = apply_run(pipeline=examples.pipeline(jobs=[{"name": "dataset", "queueName": "team"}]))
    assert read_condition(cluster, operator)[2] == "The dataset step waits: Its Job waits in the queue team."
    (job,) = cluster.of("Job")
    said = {"metadata": {}, "involvedObject": {"uid": job["metadata"]["uid"]}, "message": "insufficient quota for cpu"}

    decision = decide(replace(operator.observation("churn-1"), events=(said,)), cluster.now)

    assert decision.status is not None
    assert decision.status.conditions[0].message.endswith("in the queue team: insufficient quota for cpu")  # type: ignore[attr-defined]


def test_a_job_that_waits_in_a_queue_is_taken_out_while_its_run_is_suspended() -> None:
    jobs = [{"name": "dataset", "queueName": "team"}]
    cluster, operator = apply_run(pipeline=examples.pipeline(jobs=jobs))
    assert read_condition(cluster, operator)[1] == "Queued"
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": True}})

    assert read_condition(cluster, operator)[1] == "Suspended"
    assert cluster.of("Job") == []
    assert "jobName" not in step(cluster, "dataset")

    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": False}})
    assert read_condition(cluster, operator)[1] == "Queued"
    (job,) = cluster.of("Job")
    cluster.put({**job, "spec": {**job["spec"], "suspend": False}})  # as Kueue does where there is room
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_suspended_run_starts_no_further_job_and_goes_on_when_it_is_resumed() -> None:
    cluster, operator = advance_to_pod()
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": True}})
    cluster.finish(pod_of(cluster))

    assert read_condition(cluster, operator)[1] == "Suspended"
    assert step(cluster, "dataset")["state"] == "Succeeded"
    assert [job["metadata"]["labels"][STEP] for job in cluster.of("Job")] == ["dataset"]
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": False}})
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_suspended_run_decides_nothing() -> None:
    cluster, operator = advance_to_pod(part="testing")
    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": True}})
    cluster.finish(pod_of(cluster))

    assert read_condition(cluster, operator)[1] == "Suspended"
    assert step(cluster, "deployment")["state"] == "Waiting"
    assert cluster.of("Deployment") == []

    there = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**there, "spec": {**there["spec"], "suspend": False}})
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_dataset_steps_of_one_pipeline_come_one_after_the_other() -> None:
    cluster, operator = advance_to_pod()
    cluster.put(examples.run("churn-2", "second", "2026-03-01T12:00:01Z"))

    operator.rest("churn-2")

    (job,) = cluster.of("Job")
    assert job["metadata"]["labels"]["penstock.dev/run"] == "churn-1"
    waiting = cluster.objects["PipelineRun", "churn-2"]["status"]["conditions"][0]
    assert (waiting["reason"], "churn-1" in waiting["message"]) == ("EarlierRun", True)
    settle(cluster, operator, "churn-1", "churn-2")


def test_a_pod_that_is_preempted_is_started_again_and_costs_no_retry() -> None:
    cluster, operator = advance_to_pod()
    for _ in range(5):
        cluster.disrupt(pod_of(cluster))
        operator.rest("churn-1")
        control_jobs(cluster)

    assert len(cluster.of("Job")) == 1
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_pod_that_somebody_deletes_is_started_again_and_costs_no_retry() -> None:
    cluster, operator = advance_to_pod()
    for _ in range(5):
        pod = pod_of(cluster)
        cluster.begin(pod)
        cluster.end(pod, errors.TERMINATED)
        _, reason, message = read_condition(cluster, operator)
        control_jobs(cluster)

    assert reason == "Disrupted"
    assert "told to end" in message
    assert len(cluster.of("Job")) == 1
    settle(cluster, operator)
    assert read_condition(cluster)[0] == "True"


def test_a_result_that_was_lost_with_its_pod_is_found_again_and_not_made_again() -> None:
    cluster, operator = advance_to_pod(part="training")
    pod = pod_of(cluster)
    cluster.finish(pod)
    cluster.vanish(cluster.objects["Pod", pod["metadata"]["name"]])

    settle(cluster, operator)

    assert read_condition(cluster)[0] == "True"
    assert [part for _, part, _ in cluster.computed].count("training") == 1
    assert len([job for job in cluster.of("Job") if job["metadata"]["labels"][STEP] == "training"]) == 2


def test_an_image_that_leaves_no_result_fails_after_three_attempts() -> None:
    cluster, operator = advance_to_pod()
    for _ in range(3):
        cluster.end(pod_of(cluster), 0, "thank you")
        control_jobs(cluster)
        operator.rest("churn-1")
        control_jobs(cluster)

    assert read_condition(cluster)[:2] == ("False", "ResultLost")


def test_a_job_that_somebody_deleted_is_made_again() -> None:
    cluster, operator = advance_to_pod()
    cluster.remove(("Job", cluster.of("Job")[0]["metadata"]["name"]))
    operator.rest("churn-1")
    assert cluster.of("Job") == []  # its pod is still ending

    settle(cluster, operator)

    assert read_condition(cluster)[0] == "True"
