"""That a Trigger stops is told once to whom its Pipeline names, and to nobody where it never fired."""

from datetime import timedelta
from typing import Any

import msgspec

from penstock.decide.objects.pod import PYTHON
from penstock.decide.trigger import occasion
from penstock_jobs.contract.notification import NotificationRequest
from unit.trigger.trigger_cluster import EVERY_HOUR, OperatorKilled, TriggerCluster, TriggerOperator

TEAM: dict[str, Any] = {"name": "team", "url": {"secretName": "hook"}}


def start_with(notifications: list[Any] | None = None, **spec: Any) -> tuple[TriggerCluster, TriggerOperator]:
    cluster = TriggerCluster()
    cluster.apply_pipeline(notifications=[TEAM] if notifications is None else notifications)
    cluster.apply_trigger(**EVERY_HOUR, **spec)
    operator = TriggerOperator(cluster)
    operator.settle()
    return cluster, operator


def jobs(cluster: TriggerCluster) -> list[dict[str, Any]]:
    return [each for each in cluster.api.objects.values() if each["kind"] == "Job"]


def asked(job: dict[str, Any]) -> NotificationRequest:
    """Return what the pod of a Job is asked to post."""
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    return msgspec.json.decode(command[len(PYTHON) + 1], type=NotificationRequest)


def fail_next(cluster: TriggerCluster, operator: TriggerOperator, result: str = "Failed") -> None:
    operator.wait(3600)
    cluster.finish(cluster.created[-1], result)
    operator.settle()


def finish_jobs(cluster: TriggerCluster, operator: TriggerOperator) -> None:
    for job in jobs(cluster):
        cluster.api.put(job | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    operator.settle()


def told(cluster: TriggerCluster) -> list[tuple[str, dict[str, str]]]:
    """Return the events of the status, and what became of each."""
    return [
        (each["event"], {one["name"]: one["state"] for one in each["deliveries"]})
        for each in cluster.status().get("notifications", ())
    ]


def test_a_trigger_that_stops_for_its_failures_is_told_of_once_and_nothing_is_left_of_it() -> None:
    cluster, operator = start_with(failureLimit=2)
    fail_next(cluster, operator)
    assert jobs(cluster) == []

    fail_next(cluster, operator)
    assert cluster.ready() == ("False", "FailureLimit")
    (job,) = jobs(cluster)
    event = asked(job).event
    last = cluster.created[-1]
    assert (event.event, event.subject, event.data.trigger) == ("TriggerStopped", "nightly", "nightly")
    assert (event.data.pipeline, event.data.run, event.data.reason) == ("churn", last, "FailureLimit")
    assert event.sentence == (
        f"The Trigger nightly of the Pipeline churn has stopped after the run {last} failed: FailureLimit. penstock "
        "describe trg/nightly says more."
    )
    assert job["metadata"]["ownerReferences"][0]["kind"] == "Trigger"

    finish_jobs(cluster, operator)
    operator.wait(7200)
    assert jobs(cluster) == []
    assert told(cluster) == [("TriggerStopped", {"team": "Delivered"})]


def test_an_operator_killed_before_any_write_tells_it_once() -> None:
    writes, died = 0, True
    while died:
        died = False
        cluster, operator = start_with(failureLimit=1)
        operator.wait(3600)
        cluster.finish(cluster.created[0], "Failed")
        operator.lives = writes
        try:
            operator.settle()
        except OperatorKilled:
            died, operator = True, TriggerOperator(cluster)
            operator.settle()
        assert len(jobs(cluster)) == 1
        assert told(cluster) == [("TriggerStopped", {"team": "Pending"})]
        writes += 1
    assert writes > 2


def test_what_fails_by_hand_afterwards_is_no_other_stop_and_one_after_it_went_on_is() -> None:
    cluster, operator = start_with(failureLimit=1)
    fail_next(cluster, operator)
    first = asked(jobs(cluster)[0]).event.id
    finish_jobs(cluster, operator)

    cluster.now += timedelta(minutes=1)
    by_hand(cluster, operator, "1", "Failed")
    assert jobs(cluster) == []

    by_hand(cluster, operator, "2", "Succeeded")
    assert cluster.ready() == ("True", "Active")
    fail_next(cluster, operator)
    (job,) = jobs(cluster)
    assert asked(job).event.id != first


def by_hand(cluster: TriggerCluster, operator: TriggerOperator, identity: str, result: str) -> None:
    """Let a person make a run of the Trigger, and let it end."""
    cluster.now += timedelta(seconds=10)
    name = cluster.make_run_for(occasion.by_hand("anna", cluster.now, identity), waits=False)
    operator.settle()
    cluster.now += timedelta(seconds=10)
    cluster.finish(name, result)
    operator.settle()


def test_a_mistake_in_its_own_spec_is_for_its_condition_and_one_that_comes_upon_it_is_told() -> None:
    cluster, operator = start_with()
    cluster.apply_trigger(schedule={"cron": ["0 0 31 2 *"]})
    operator.settle()
    assert cluster.ready() == ("False", "Invalid")
    assert jobs(cluster) == []

    way = {"pipelineRef": {"name": "churn"}, "runs": {"pipelineRef": {"name": "cleaning"}}}
    cluster.apply_trigger("forth", **way)
    operator.settle()
    cluster.apply_trigger("back", pipelineRef={"name": "cleaning"}, runs={"pipelineRef": {"name": "churn"}})
    operator.settle()
    (job,) = jobs(cluster)
    assert (asked(job).event.subject, asked(job).event.data.reason) == ("forth", "Loop")


def test_who_names_other_events_or_nobody_is_not_told() -> None:
    for notifications in ([], [TEAM | {"events": ["RunFailed"]}]):
        cluster, operator = start_with(notifications, failureLimit=1)
        fail_next(cluster, operator)
        assert cluster.ready() == ("False", "FailureLimit")
        assert jobs(cluster) == []
        assert told(cluster) == []


def test_a_lost_status_tells_nothing_again() -> None:
    cluster, operator = start_with(failureLimit=1)
    fail_next(cluster, operator)
    finish_jobs(cluster, operator)
    cluster.lose_status()
    TriggerOperator(cluster).wait(3600)
    assert cluster.ready() == ("False", "FailureLimit")
    assert jobs(cluster) == []


def test_a_notification_that_is_refused_holds_up_nothing() -> None:
    cluster, operator = start_with(failureLimit=1)
    operator.jobs_quota = 0
    fail_next(cluster, operator)
    assert jobs(cluster) == []
    assert cluster.ready() == ("False", "FailureLimit")

    cluster.apply_trigger(**EVERY_HOUR, failureLimit=2)
    operator.settle()
    before = len(cluster.created)
    operator.wait(3600)
    assert len(cluster.created) == before + 1
    assert told(cluster) == [("TriggerStopped", {"team": "Pending"})]

    operator.jobs_quota = 1
    operator.wait(60)
    assert len(jobs(cluster)) == 1
