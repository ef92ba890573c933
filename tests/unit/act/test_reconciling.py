"""The whole shell around a decision: who is woken, what is tried again, what is not."""

import asyncio
import copy
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.act.view import GATHERED
from penstock.api.conditions import Condition
from penstock.api.run import PipelineRunStatus
from penstock.decide.decision import Create, Decision
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import Key, Object, key_of
from unit.act import virtual_time
from unit.act.fake_api import AnswerLost, FakeApi, status
from unit.act.shell_parts import Shell, ShellObservation, make_child, make_run

KEY = Key("PipelineRun", "team", "churn-1")
RUN = "/apis/penstock.dev/v1alpha1/namespaces/team/pipelineruns/churn-1"


def one_step_a_look(seen: ShellObservation, now: datetime) -> Decision:
    """Decide on one small thing at a time: three names in the status, a Job after the second."""
    name = (seen.run.get("status") or {}).get("executionName", "")
    if len(name) == 3:
        return Decision()
    writes = (Create(make_child("Job", "j", seen.run)),) if len(name) == 2 else ()
    return Decision(writes, PipelineRunStatus(execution_name=name + "x"))


def worked(api: FakeApi, decide: Any, seconds: float = 1000, **more: Any) -> Shell:
    """Let the shell see all runs and work for a while."""

    async def all_of_it() -> Shell:
        shell = Shell(api, decide, **more)
        for run in [each for each in api.objects.values() if each["kind"] == "PipelineRun"]:
            shell.view.on_update(run)
        workers = [asyncio.create_task(shell.reconciler.work()) for _ in range(5)]
        await asyncio.sleep(seconds)
        shell.queue.close()
        await asyncio.gather(*workers)
        return shell

    return virtual_time.run(all_of_it())


def test_what_was_written_is_looked_at_again_at_once_until_there_is_nothing_to_do() -> None:
    api = FakeApi()
    api.put(make_run())

    worked(api, one_step_a_look, seconds=1)

    assert api.objects[RUN]["status"] == {"executionName": "xxx"}
    assert [path.rsplit("/", 1)[1] for _, path in api.writes()] == ["status", "status", "jobs", "status"]


def test_what_was_passed_over_is_in_the_log_once_however_often_it_is_looked_at(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def decide(seen: ShellObservation, now: datetime) -> Decision:
        return Decision(requeue_after=10.0, warnings=("The Model m cannot be read.",))

    api = FakeApi()
    api.put(make_run())

    worked(api, decide, seconds=100)

    assert [each.getMessage() for each in caplog.records if "cannot be read" in each.getMessage()] == [
        "The Model m cannot be read."
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["ok", "lost", 409, 429, 500]), max_size=30))
def test_whatever_goes_wrong_for_a_while_the_end_is_the_same(troubles: list[Any]) -> None:
    api = FakeApi()
    api.put(make_run())
    left = iter(troubles)

    def fault(request: Request) -> Answer | None:
        trouble = next(left, "ok")
        if trouble == "lost":
            raise AnswerLost
        return None if trouble == "ok" else status(int(trouble), "Trouble", Retry_After="1")

    api.fault = fault
    worked(api, one_step_a_look, seconds=10_000)

    assert api.objects.pop(RUN)["status"] == {"executionName": "xxx"}
    assert [each["metadata"]["name"] for each in api.objects.values()] == ["j"]


def test_a_status_that_is_refused_once_is_written_soon_after() -> None:
    """kopf's own patches of the status are not tried again: in 30 s nothing happened."""
    api = FakeApi()
    api.put(make_run())
    refusals = iter([status(409, "Conflict")])
    api.fault = lambda request: next(refusals, None) if "status" in request.path else None

    worked(api, one_step_a_look, seconds=2)

    assert api.objects[RUN]["status"] == {"executionName": "xxx"}


def test_a_thousand_objects_at_the_start_are_not_a_thousand_requests_at_once() -> None:
    """kopf's own start had 426 patches in flight for 1,000 objects."""
    api = FakeApi()
    for number in range(1000):
        api.put(make_run(f"churn-{number}"))

    worked(api, one_step_a_look, concurrent=4)

    assert api.most_in_flight <= 4
    assert all(each["status"] == {"executionName": "xxx"} for each in api.objects.values() if "status" in each)


def test_a_bug_in_one_decision_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    api = FakeApi()
    api.put(make_run("bad"))
    api.put(make_run())
    looks: Counter[str] = Counter()

    def decide(seen: ShellObservation, now: datetime) -> Decision:
        name = seen.run["metadata"]["name"]
        looks[name] += 1
        if name == "bad":
            raise KeyError("oops")
        return one_step_a_look(seen, now)

    shell = worked(api, decide, seconds=3600)

    assert api.objects[RUN]["status"] == {"executionName": "xxx"}
    assert 20 < looks["bad"] < 100  # it is tried again, ever less often
    assert b'penstock_reconcile_errors_total{class="bug"}' in shell.metrics.text()
    assert "This is a bug of Penstock" in caplog.text


def test_in_a_namespace_that_is_being_deleted_nothing_is_tried_again() -> None:
    api = FakeApi()
    api.put(make_run())
    ending = Answer(403, {}, b'{"reason":"Forbidden","details":{"causes":[{"reason":"NamespaceTerminating"}]}}')
    api.fault = lambda request: ending if request.method == "POST" else None

    worked(api, lambda seen, now: Decision((Create(make_child("Job", "j", seen.run)),)))

    assert len(api.writes()) == 1


def test_an_appointment_is_kept() -> None:
    api = FakeApi()
    api.put(make_run())
    looks: list[float] = []

    def decide(seen: ShellObservation, now: datetime) -> Decision:
        looks.append(asyncio.get_running_loop().time())
        return Decision(requeue_after=60)

    worked(api, decide, seconds=200)

    assert [round(each) for each in looks] == [0, 60, 120, 180]


def _woken(shell: Shell, kind: str) -> set[str]:
    return {key.name for key in shell.queue._waiting if key.kind == kind}


def _after(before: list[Object], change: Object, kind: str = "PipelineRun") -> set[str]:
    """Return whom a change wakes, once all before it is seen and done with."""

    async def all_of_it() -> set[str]:
        api = FakeApi()
        shell = Shell(api)
        for each in before:
            shell.view.on_update(api.put(each))
        await shell.work_until_quiet()
        shell.view.on_update(api.put(change))
        return _woken(shell, kind)

    return virtual_time.run(all_of_it())


def _waits(name: str, reason: str) -> Object:
    condition = {"type": "Succeeded", "status": "Unknown", "reason": reason, "message": ""}
    return make_run(name, conditions=[condition])


def _pipeline(**status: Any) -> Object:
    metadata = {"name": "churn", "namespace": "team"}
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": "Pipeline", "metadata": metadata, "spec": {}} | (
        {"status": status} if status else {}
    )


def test_a_pipeline_that_is_applied_wakes_its_live_runs_only() -> None:
    ended = make_run("ended", completionTime="2026-11-21T10:00:00Z")

    assert _after([make_run("live"), ended], _pipeline()) == {"live"}


def test_the_counts_of_a_pipeline_wake_no_run_and_its_served_model_does() -> None:
    assert _after([make_run("live"), _pipeline()], _pipeline(activeRuns=3, notifications=[{"id": "1"}])) == set()
    assert _after([make_run("live"), _pipeline()], _pipeline(servedModel={"name": "m"})) == {"live"}


def _watching(**spec: Any) -> Object:
    metadata = {"name": "watching", "namespace": "team", "uid": "t1"}
    spec = {"pipelineRef": {"name": "churn"}, **spec}
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": "Trigger", "metadata": metadata, "spec": spec}


def test_a_run_that_ends_and_another_served_model_wake_the_trigger_that_looks_at_its_score() -> None:
    watching = _watching(model={"scoring": "roc_auc", "minimum": "0.8"})
    ended = make_run("first", completionTime="2026-11-21T10:00:00Z")

    assert _after([make_run("first"), watching], ended, "Trigger") == {"watching"}
    assert _after([_pipeline(), watching], _pipeline(servedModel={"name": "m"}), "Trigger") == {"watching"}
    assert _after([_pipeline(), watching], _pipeline(activeRuns=3), "Trigger") == set()


def test_a_step_that_ends_wakes_the_runs_that_wait_for_it() -> None:
    before = [make_run("first"), _waits("second", "EarlierRun"), _waits("third", "Unschedulable")]
    done = make_run("first", steps=[{"name": "dataset", "completionTime": "2026-11-21T10:00:00Z"}])

    assert _after(before, done) == {"first", "second"}


def test_a_pod_wakes_its_run() -> None:
    run = make_run()
    run["metadata"]["uid"] = "u1"

    assert _after([run], make_child("Pod", "p", run, spec={}, status={"phase": "Running"})) == {"churn-1"}


@pytest.mark.parametrize(
    ("kind", "owner"), [("PipelineRun", make_run()), ("Pipeline", _pipeline()), ("Trigger", _watching())]
)
def test_a_job_that_tells_somebody_wakes_what_it_tells_of(kind: str, owner: Object) -> None:
    owner["metadata"]["uid"] = "u1"
    job = make_child("Job", "j", owner, spec={}, status={})
    job["metadata"]["labels"] = {"penstock.dev/pipeline": "churn", "penstock.dev/notification": "u1"}

    assert _after([owner], job, kind) == {owner["metadata"]["name"]}


def test_what_did_not_change_wakes_nobody() -> None:
    run = make_run()
    run["metadata"]["uid"] = "u1"

    assert _after([run], run) == set()


_MODEL = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Model",
    "metadata": {"name": "m", "namespace": "team", "labels": {"penstock.dev/pipeline": "churn"}},
    "spec": {},
}


def test_a_model_that_is_made_wakes_whoever_pins_it() -> None:
    pins = _pipeline() | {"spec": {"deployment": {"model": "m"}}}
    pins["metadata"] |= {"name": "another"}

    assert _after([_pipeline(), pins], _MODEL, "Pipeline") == {"another"}


def test_a_pipeline_counts_its_models_and_runs_a_little_later_and_all_at_once() -> None:
    async def all_of_it() -> tuple[set[str], set[str]]:
        api = FakeApi()
        shell = Shell(api)
        shell.view.on_update(api.put(_MODEL))
        shell.view.on_update(api.put(make_run("first")))
        at_once = _woken(shell, "Pipeline")
        await asyncio.sleep(GATHERED + 1)
        return at_once, _woken(shell, "Pipeline")

    assert virtual_time.run(all_of_it()) == (set(), {"churn"})


def test_a_proposal_wakes_its_pipeline_at_once() -> None:
    assert _after([_pipeline(), make_run("first")], _waits("first", "Proposed"), "Pipeline") == {"churn"}
    assert _after([_pipeline(), make_run("first")], make_run("first", activeRuns=1), "Pipeline") == set()


@pytest.mark.parametrize("label", ["penstock.dev/pipeline", "penstock.dev/run-uid"])
def test_a_label_that_is_taken_off_a_child_is_put_back_and_nothing_is_tried_over_and_over(label: str) -> None:
    async def scene() -> FakeApi:
        api = FakeApi()
        run = api.put(make_run()) | {"kind": "PipelineRun"}
        job = make_child("Job", "churn-1-dataset", run, spec={})
        job["metadata"]["labels"]["penstock.dev/pipeline"] = "churn"
        shell = Shell(api, lambda seen, now: Decision((Create(copy.deepcopy(job)),)))
        made = api.put(job)
        shell.view.on_update(made)
        labels = {name: value for name, value in job["metadata"]["labels"].items() if name != label}
        left = api.put({**made, "metadata": {**made["metadata"], "labels": labels}})
        if label == "penstock.dev/pipeline":  # the watch has this one in its selector
            shell.view.on_delete(key_of(left), left["metadata"]["uid"], int(left["metadata"]["resourceVersion"]))
        else:
            shell.view.on_update(left)
        shell.view.on_update(run)
        api.requests.clear()
        workers = [asyncio.create_task(shell.reconciler.work()) for _ in range(4)]
        await asyncio.sleep(600)
        shell.queue.close()
        await asyncio.gather(*workers)
        assert shell.view.cache.get(key_of(job)) is not None
        return api

    api = virtual_time.run(scene())

    there = next(each for each in api.objects.values() if each["kind"] == "Job")
    assert label in there["metadata"]["labels"]
    assert [method for method, _ in api.writes()] == ["POST", "PATCH"]


def test_an_end_that_takes_several_attempts_to_write_is_counted_once() -> None:
    api, left = FakeApi(), 6

    def fault(request: Request) -> Answer | None:
        nonlocal left
        if request.method != "PATCH" or left == 0:
            return None
        left -= 1
        return status(503, "ServiceUnavailable", "etcd has no leader")

    def decide(seen: ShellObservation, now: datetime) -> Decision:
        done = (seen.run.get("status") or {}).get("completionTime")
        moment = "2026-11-21T12:00:00Z"
        ended = Condition(
            type="Succeeded", status="True", reason="Succeeded", message="Done.", last_transition_time=moment
        )
        return Decision(status=None if done else PipelineRunStatus(completion_time=moment, conditions=(ended,)))

    api.fault = fault
    api.put(make_run())

    shell = worked(api, decide)

    counted = [line for line in shell.metrics.text().decode().splitlines() if "runs_finished_total{" in line]
    assert counted == ['penstock_runs_finished_total{reason="Succeeded"} 1.0']


def test_servers_that_give_their_place_back_wake_who_waits_for_it_and_not_everybody() -> None:
    condition = {"type": "Ready", "status": "True", "reason": "RolloutQueued", "message": ""}
    queued = [
        _pipeline(conditions=[condition]) | {"metadata": {"name": f"q{n:02}", "namespace": "team"}} for n in range(20)
    ]
    idle = _pipeline() | {"metadata": {"name": "idle", "namespace": "team"}}

    def servers(rollout: str) -> Object:
        labels = {"penstock.dev/pipeline": "churn", "penstock.dev/revision": "r"}
        metadata = {
            "name": "r",
            "namespace": "team",
            "labels": labels,
            "annotations": {"penstock.dev/rollout": rollout},
        }
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}}

    before = [*queued, idle, servers('{"upgradeTime": "2026-03-01T12:00:00Z"}')]
    woken = _after(before, servers("{}"), "Pipeline")

    assert woken == {"churn", *(f"q{n:02}" for n in range(8))}
