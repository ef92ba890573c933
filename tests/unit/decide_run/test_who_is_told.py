"""Who asked to be told is told of each event once, wherever the operator dies; and nobody waits for it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis.stateful import invariant, rule

from penstock.api.credentials import SecretKey
from penstock.api.notifications import Notification
from penstock.decide.objects.children import NOTIFICATION, STEP
from penstock.decide.settings import Settings
from penstock_jobs.contract.notification import NotificationRequest
from penstock_jobs.contract.result import Failure
from penstock_jobs.contract.termination_message import TerminationMessage
from unit.decide_run import examples_of_runs as examples
from unit.decide_run.model_cluster import ModelCluster, Object
from unit.decide_run.model_operator import ModelOperator, OperatorKilled, advance, settle
from unit.decide_run.runs_at_work import advance_to_pod, apply_run, pod_of
from unit.decide_run.test_any_order_of_events import ANY, FEW, AnyOrder

TEAM: Object = {"name": "team", "url": {"secretName": "hook"}}


def told(**changes: Any) -> Object:
    """Return a Pipeline with these notifications, or with one that is told everything."""
    return examples.pipeline(**{"notifications": [TEAM], **changes})


def jobs_ever_made(cluster: ModelCluster) -> list[Object]:
    """Return each Job that ever told somebody something, by its uid."""
    found = [each for each in cluster.history if NOTIFICATION in each["metadata"].get("labels", {})]
    return list({each["metadata"]["uid"]: each for each in found if each["kind"] == "Job"}.values())


def jobs_there(cluster: ModelCluster) -> list[Object]:
    return [job for job in cluster.of("Job") if NOTIFICATION in job["metadata"]["labels"]]


def let_all_be_told(cluster: ModelCluster, operator: ModelOperator) -> None:
    for _ in range(4):
        operator.rest("churn-1")
        advance(cluster)
    operator.rest("churn-1")


def states_of_end(cluster: ModelCluster, name: str = "churn-1") -> dict[str, str]:
    """Return what became of the end of a run for each who was to be told."""
    status = cluster.objects["PipelineRun", name].get("status") or {}
    return {each["name"]: each["state"] for each in status.get("notifications", ())}


def states_of_events(cluster: ModelCluster) -> list[tuple[str, dict[str, str]]]:
    """Return the events in the status of the Pipeline, and what became of each."""
    status = cluster.objects["Pipeline", "churn"]["status"]
    return [
        (event["event"], {each["name"]: each["state"] for each in event["deliveries"]})
        for event in status.get("notifications", ())
    ]


def names_of(posted: list[NotificationRequest]) -> list[str]:
    return sorted(each.event.event for each in posted)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_the_end_of_a_run_and_what_becomes_of_its_model_are_told_and_nothing_is_left_of_it() -> None:
    cluster, operator = apply_run(pipeline=told())
    settle(cluster, operator)
    let_all_be_told(cluster, operator)

    assert names_of(cluster.posted) == ["ModelSelected", "ModelServed", "RunSucceeded"]
    assert states_of_end(cluster) == {"team": "Delivered"}
    assert states_of_events(cluster) == [
        ("ModelServed", {"team": "Delivered"}),
        ("ModelSelected", {"team": "Delivered"}),
    ]
    assert jobs_there(cluster) == []


def test_an_event_says_where_it_comes_from_and_what_it_is_about() -> None:
    cluster, operator = apply_run(pipeline=told())
    settle(cluster, operator)
    let_all_be_told(cluster, operator)
    found = {each.event.event: each.event for each in cluster.posted}

    model = examples.model_name(0)
    assert found["ModelServed"].source == "/apis/penstock.dev/v1alpha1/namespaces/team/pipelines/churn"
    assert found["ModelServed"].data.model == found["ModelServed"].subject == model
    assert found["ModelServed"].data.run == "churn-1"
    assert found["RunSucceeded"].subject == "churn-1"
    assert found["RunSucceeded"].data.model == model
    assert found["RunSucceeded"].time == cluster.objects["PipelineRun", "churn-1"]["status"]["completionTime"]
    assert found["RunSucceeded"].sentence.startswith("The run churn-1 of the Pipeline churn succeeded. ")


def test_each_is_told_only_the_events_that_it_names() -> None:
    other = {"name": "chat", "url": {"secretName": "chat"}, "format": "Slack", "events": ["ModelServed", "RunFailed"]}
    cluster, operator = apply_run(pipeline=told(notifications=[TEAM | {"events": ["RunSucceeded"]}, other]))
    settle(cluster, operator)
    let_all_be_told(cluster, operator)

    assert sorted((each.event.event, each.style) for each in cluster.posted) == [
        ("ModelServed", "Slack"),
        ("RunSucceeded", "CloudEvent"),
    ]


def test_a_run_that_fails_is_told_with_its_step_and_without_the_sentence_of_its_job_which_may_quote_a_row() -> None:
    cluster, operator = advance_to_pod()
    cluster.put({**cluster.objects["Pipeline", "churn"], "spec": told()["spec"]})
    failure = Failure(reason="Refused", message='The key "4711, Ada Lovelace" has two rows.')
    cluster.end(pod_of(cluster), 2, msgspec.json.encode(TerminationMessage(result=failure)).decode())
    cluster.control(cluster.of("Job")[0])
    let_all_be_told(cluster, operator)

    [posted] = cluster.posted
    assert (posted.event.event, posted.event.data.reason, posted.event.data.step) == ("RunFailed", "Refused", "dataset")
    assert posted.event.data.message is None
    assert "Lovelace" not in str(posted)


def test_a_run_that_is_cancelled_is_told_as_that() -> None:
    cluster, operator = advance_to_pod()
    cluster.put({**cluster.objects["Pipeline", "churn"], "spec": told()["spec"]})
    run = cluster.objects["PipelineRun", "churn-1"]
    cluster.put({**run, "spec": {**run["spec"], "cancel": True}})
    let_all_be_told(cluster, operator)

    assert names_of(cluster.posted) == ["RunCancelled"]


def test_a_model_whose_servers_do_not_come_up_is_told_as_sent_back() -> None:
    cluster, operator = apply_run(pipeline=told(notifications=[TEAM | {"events": ["ModelSentBack", "RunFailed"]}]))
    for _ in range(14):
        operator.rest("churn-1")
        for job in cluster.of("Job"):
            cluster.control(job)
        for pod in list(cluster.live_pods()):
            cluster.finish(pod)
        for each in cluster.of("Deployment"):
            cluster.roll_out(each, well=False)
        cluster.advance_clock(2)

    assert names_of(cluster.posted) == ["ModelSentBack", "RunFailed"]
    sent_back = next(each.event for each in cluster.posted if each.event.event == "ModelSentBack")
    assert (sent_back.data.model, sent_back.data.reason) == (examples.model_name(0), "RolloutFailed")


def test_a_model_that_the_gate_keeps_from_being_served_is_told_as_refused_with_the_verdict() -> None:
    gate = {"scoring": "roc_auc", "minimum": "0.95"}
    spec = {"testing": {"scoring": [{"name": "roc_auc"}]}, "deployment": {"selection": gate}}
    cluster, operator = apply_run(pipeline=told(**spec))
    settle(cluster, operator)
    let_all_be_told(cluster, operator)

    assert names_of(cluster.posted) == ["ModelRefused", "RunSucceeded"]
    refused = next(each.event for each in cluster.posted if each.event.event == "ModelRefused")
    assert (refused.data.model, refused.data.verdict) == (examples.model_name(0), "BelowMinimum")
    assert refused.sentence == (
        f"The Model {examples.model_name(0)} of the run churn-1 was not selected to be served by the Pipeline churn: "
        f"{refused.data.message}"
    )


# --- once -------------------------------------------------------------------------------------------------------------


def killed_after(writes: int) -> tuple[ModelCluster, bool]:
    """Return how it all is once everybody was told, and whether the operator died on the way."""
    cluster, operator = apply_run(pipeline=told())
    operator.lives, died = writes, False
    for _ in range(30):
        try:
            operator.rest("churn-1")
        except OperatorKilled:
            operator, died = operator.restart(), True
        advance(cluster)
    let_all_be_told(cluster, operator)
    return cluster, died


def test_each_event_is_told_by_one_job_wherever_the_operator_dies() -> None:
    writes, died = 0, True
    while died:
        cluster, died = killed_after(writes)
        assert names_of(cluster.posted) == ["ModelSelected", "ModelServed", "RunSucceeded"], f"after write {writes}"
        assert len(jobs_ever_made(cluster)) == 3, f"killed after write {writes}"
        assert jobs_there(cluster) == []
        writes += 1
    assert writes > 35


def test_the_end_of_a_run_has_an_id_that_is_a_function_of_it_and_no_other_event_has() -> None:
    ids: list[dict[str, str]] = []
    for _ in range(2):
        cluster, operator = apply_run(pipeline=told())
        cluster.advance_clock(len(ids) * 100)
        settle(cluster, operator)
        let_all_be_told(cluster, operator)
        ids.append({each.event.event: each.event.id for each in cluster.posted})

    assert ids[0]["RunSucceeded"] == ids[1]["RunSucceeded"]
    assert all(len(set(each.values())) == 3 for each in ids)


def test_who_asks_later_is_told_nothing_of_what_was_before() -> None:
    cluster, operator = apply_run()
    settle(cluster, operator)
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "notifications": [TEAM]}})
    let_all_be_told(cluster, operator)

    assert cluster.posted == []
    assert jobs_ever_made(cluster) == []


class AnyOrderTold(AnyOrder):
    """The same with somebody who is told. Who deletes a Job of these, or cleans it up, has it made, and told, again."""

    notifications = [TEAM]

    @rule(which=ANY)
    def a_job_is_deleted(self, which: int) -> None:
        if found := self._one(self._cleaned(), which):
            self.cluster.remove(("Job", found["metadata"]["name"]))

    def _cleaned(self) -> list[Object]:
        return [each for each in self.cluster.of("Job") if STEP in each["metadata"]["labels"]]

    @invariant()
    def no_event_has_a_second_job(self) -> None:
        names = [job["metadata"]["name"] for job in jobs_ever_made(self.cluster)] if hasattr(self, "cluster") else []
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        super().teardown()
        # One that failed beside a sidecar goes on until its ceiling.
        for job in jobs_there(self.cluster) if hasattr(self, "cluster") else ():
            if not self.cluster.is_over(job):
                self.cluster.expire(job)
        for _ in range(5 if hasattr(self, "cluster") else 0):
            for run in self.cluster.of("PipelineRun"):
                self.operator.rest(run["metadata"]["name"])
            advance(self.cluster)
        for run in self.cluster.of("PipelineRun") if hasattr(self, "cluster") else ():
            states = states_of_end(self.cluster, run["metadata"]["name"])
            # One that never began, of a Pipeline that was not there, has nobody to tell.
            assert "team" in states or "revision" not in run["status"]
            assert "Pending" not in states.values()
            self.no_event_has_a_second_job()


TestAnyOrderTold = AnyOrderTold.TestCase
TestAnyOrderTold.settings = FEW


# --- nobody waits for it ----------------------------------------------------------------------------------------------


def ended_untold() -> tuple[ModelCluster, ModelOperator]:
    """Return a cluster in which a run has just ended, and the API server takes no Job."""
    cluster, operator = apply_run(pipeline=told())
    settle(cluster, operator)
    for job in jobs_there(cluster):
        cluster.remove(("Job", job["metadata"]["name"]))
    operator.forbidden = "Job"
    return cluster, operator


def test_a_job_that_the_api_server_refuses_is_asked_for_again_and_neither_run_nor_pipeline_says_that_it_fails() -> None:
    cluster, operator = ended_untold()
    operator.looks()
    decision = operator.reconcile("churn-1")
    operator.serve()

    assert decision.requeue_after == 30
    assert cluster.objects["PipelineRun", "churn-1"]["status"]["conditions"][0]["status"] == "True"
    ready = next(each for each in cluster.objects["Pipeline", "churn"]["status"]["conditions"])
    assert (ready["status"], ready["reason"]) == ("True", "ModelServed")

    operator.forbidden = None
    let_all_be_told(cluster, operator)
    assert "RunSucceeded" in names_of(cluster.posted)


def test_an_event_that_could_not_be_told_in_a_day_is_given_up_and_an_event_of_kubernetes_says_so() -> None:
    cluster, operator = ended_untold()
    cluster.advance_clock(timedelta(days=1).total_seconds())
    operator.looks()
    operator.reconcile("churn-1")
    operator.looks()
    operator.reconcile("churn-1")

    assert states_of_end(cluster) == {"team": "GivenUp"}
    said = [each for each in operator.events if each.reason == "NotificationFailed"]
    assert said[0].type == "Warning"
    assert "RunSucceeded was not delivered to the notification team" in said[0].message


def test_a_receiver_that_refuses_is_said_in_its_pods_words_and_the_run_stays_as_it_ended() -> None:
    cluster, operator = apply_run(pipeline=told(notifications=[TEAM | {"events": ["RunSucceeded"]}]))
    run = settle(cluster, operator)
    operator.rest("churn-1")
    [job] = jobs_there(cluster)
    cluster.control(job)
    cluster.end(pod_of(cluster), 2, "chat.example refuses the event with the status 410.")
    cluster.control(job)
    let_all_be_told(cluster, operator)

    after = cluster.objects["PipelineRun", "churn-1"]["status"]
    assert {**after, "notifications": None} == {**run["status"], "notifications": None}
    assert after["notifications"] == [{"name": "team", "state": "Refused"}]
    [said] = [each.message for each in operator.events if each.reason == "NotificationFailed"]
    assert said.endswith("chat.example refuses the event with the status 410.")
    assert jobs_there(cluster) == []


def test_a_notification_that_is_removed_before_its_event_was_told_is_told_nothing() -> None:
    cluster, operator = ended_untold()
    there = cluster.objects["Pipeline", "churn"]
    cluster.put({**there, "spec": {**there["spec"], "notifications": []}})
    operator.forbidden = None
    let_all_be_told(cluster, operator)

    assert states_of_end(cluster) == {"team": "Removed"}


# --- the operator's own -----------------------------------------------------------------------------------------------

PLATFORM = Notification(name="platform", url=SecretKey(secret_name="platform"), events=("RunSucceeded",))


def told_by_operator(pipeline: Object) -> list[Object]:
    cluster, _ = apply_run(pipeline=pipeline)
    operator = ModelOperator(cluster, Settings(notifications=(PLATFORM,)))
    settle(cluster, operator)
    let_all_be_told(cluster, operator)
    return jobs_ever_made(cluster)


def pod_spec(job: Object) -> Object:
    found: Object = job["spec"]["template"]["spec"]
    return found


def secret_in(job: Object) -> str:
    return next(str(each["secret"]["secretName"]) for each in pod_spec(job)["volumes"] if "secret" in each)


def test_who_the_operator_names_is_told_of_every_pipeline_and_one_of_the_same_name_takes_its_place() -> None:
    own = {"name": "platform", "url": {"secretName": "mine"}, "events": ["RunSucceeded"]}

    assert [secret_in(job) for job in told_by_operator(examples.pipeline())] == ["platform"]
    assert [secret_in(job) for job in told_by_operator(told(notifications=[own]))] == ["mine"]


@pytest.mark.parametrize(("notifications", "is_there"), [([], False), ([TEAM | {"events": ["RunSucceeded"]}], True)])
def test_the_environment_of_an_authors_jobs_comes_to_the_pods_of_the_authors_own_notifications_alone(
    notifications: list[Object], is_there: bool
) -> None:
    proxy = {"name": "HTTPS_PROXY", "value": "http://the-authors-own"}
    jobs = [{"name": "dataset", "env": [proxy], "serviceAccountName": "reads-tables"}]
    made = {secret_in(job): job for job in told_by_operator(told(notifications=notifications, jobs=jobs))}

    assert proxy not in pod_spec(made["platform"])["containers"][0]["env"]
    assert ("hook" in made) == is_there
    if is_there:
        assert proxy in pod_spec(made["hook"])["containers"][0]["env"]
    assert all("serviceAccountName" not in pod_spec(job) for job in made.values())
