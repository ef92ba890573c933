"""A decision, carried out: in order, repeatable, and never against a stranger's object."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.act.apply import WriteRefused
from penstock.api.run import PipelineRunStatus, Step
from penstock.decide.decision import Apply, Create, Decision, Delete, Event, OnlyConditions, Patch
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.errors import Conflict, Transient
from penstock.kubernetes.kinds import Key, Object
from unit.act import virtual_time
from unit.act.fake_api import AnswerLost, FakeApi, status
from unit.act.shell_parts import Shell, ShellObservation, make_child, make_run

RUN = "/apis/penstock.dev/v1alpha1/namespaces/team/pipelineruns/churn-1"
STATUS = PipelineRunStatus(execution_name="test")
TOLD = Event("Normal", "Running", "It runs.")


def carried_out(api: FakeApi, run: Object, *decisions: Decision) -> list[bool]:
    """Carry the decisions out, each about the run as it is seen then; return whether each wrote anything."""

    async def all_of_it() -> list[bool]:
        shell = Shell(api)
        shell.view.on_update(run)
        wrote = []
        for decision in decisions:
            subject = shell.view.cache.get(Key("PipelineRun", "team", "churn-1"))
            assert subject is not None
            wrote.append(await shell.applier.carry_out(subject, decision))
        return wrote

    return virtual_time.run(all_of_it())


def _children(run: Object, count: int) -> list[Object]:
    return [make_child("ConfigMap", f"c{number}", run, data={}) for number in range(count)]


def test_writes_come_in_their_order_then_the_status_then_the_events() -> None:
    api = FakeApi()
    run = api.put(make_run())
    job, config_map = make_child("Job", "j", run), make_child("ConfigMap", "c", run)

    carried_out(api, run, Decision((Create(config_map), Create(job)), STATUS, (TOLD,)))

    assert [path.rsplit("/", 2)[-2:] for _, path in api.writes()] == [
        ["team", "configmaps"],
        ["team", "jobs"],
        ["churn-1", "status"],
        ["team", "events"],
    ]


def test_a_status_that_is_there_already_is_not_written() -> None:
    api = FakeApi()
    run = api.put(make_run(executionName="test"))

    assert carried_out(api, run, Decision(status=STATUS)) == [False]
    assert api.writes() == []


def test_a_status_with_what_the_server_filled_in_is_the_same_status() -> None:
    api = FakeApi()
    run = api.put(make_run(executionName="test", steps=[]))

    carried_out(api, run, Decision(status=STATUS))

    assert api.writes() == []


def test_a_status_of_which_the_server_keeps_nothing_is_not_written_again_at_once() -> None:
    api = FakeApi()
    run = api.put(make_run())
    there = Answer(200, {}, json.dumps(run).encode())
    api.fault = lambda request: there if request.path.partition("?")[0].endswith("/status") else None

    assert carried_out(api, run, Decision(status=STATUS)) == [False]


def test_fields_of_a_newer_version_are_in_the_status_that_is_written() -> None:
    api = FakeApi()
    run = api.put(make_run(newField={"a": 1}, steps=[{"name": "training", "state": "Running", "newField": 2}]))
    steps = (Step(name="training", state="Succeeded"),)

    carried_out(api, run, Decision(status=PipelineRunStatus(execution_name="test", steps=steps)))

    assert api.objects[RUN]["status"] == {
        "executionName": "test",
        "newField": {"a": 1},
        "steps": [{"name": "training", "state": "Succeeded", "newField": 2}],
    }


def test_conditions_of_what_cannot_be_read_are_written_and_the_rest_of_its_status_stays() -> None:
    api = FakeApi()
    run = api.put(make_run(executionName="test", steps=[{"name": "training", "state": "Halted"}]))
    stalled = {"type": "Stalled", "status": "True", "reason": "Invalid"}
    decision = Decision(status=OnlyConditions((stalled,), 1))

    assert carried_out(api, run, decision, decision) == [True, False]
    assert api.objects[RUN]["status"] == {
        "executionName": "test",
        "steps": [{"name": "training", "state": "Halted"}],
        "conditions": [stalled],
        "observedGeneration": 1,
    }


def test_a_status_is_refused_where_the_object_changed_and_the_next_look_is_at_what_it_is_now() -> None:
    api = FakeApi()
    old = api.put(make_run())
    api.put(old | {"spec": {"pipelineRef": {"name": "churn"}, "cancel": True}})

    async def all_of_it() -> Object | None:
        shell = Shell(api)
        shell.view.on_update(old)
        with pytest.raises(Conflict):
            await shell.applier.carry_out(old, Decision(status=STATUS))
        return shell.view.cache.get(Key("PipelineRun", "team", "churn-1"))

    seen = virtual_time.run(all_of_it())

    assert seen is not None
    assert seen["spec"]["cancel"] is True


def test_the_status_of_an_object_that_is_gone_is_nobodys() -> None:
    api = FakeApi()
    run = api.put(make_run())
    api.remove(run)

    assert carried_out(api, run, Decision(status=STATUS)) == [False]


@settings(deadline=None)
@given(st.integers(0, 6), st.booleans())
def test_whoever_is_killed_after_any_write_and_begins_again_makes_each_object_once(died_after: int, lost: bool) -> None:
    """`lost`: the answer to the last write never came; else the write itself did not."""
    api = FakeApi()
    run = api.put(make_run())
    decision = Decision(tuple(Create(child) for child in _children(run, 5)), STATUS)
    attempts = 0

    def dies(request: Request) -> Answer | None:
        nonlocal attempts
        attempts += request.method != "GET"
        if attempts == died_after + 1:
            attempts += 100
            raise AnswerLost if lost else Transient(0, "NoAnswer", "gone")
        return None

    api.fault = dies
    try:
        carried_out(api, run, decision)
    except Transient:
        carried_out(api, api.objects[RUN], decision)

    assert api.objects.pop(RUN)["status"] == {"executionName": "test"}
    assert sorted(each["metadata"]["name"] for each in api.objects.values()) == ["c0", "c1", "c2", "c3", "c4"]


def test_an_object_of_ours_that_is_there_is_success() -> None:
    api = FakeApi()
    run = api.put(make_run())
    api.put(make_child("ConfigMap", "c0", run, data={}))

    assert carried_out(api, run, Decision((Create(_children(run, 1)[0]),), STATUS)) == [True]


def test_a_strangers_object_is_left_alone_and_nothing_is_written_after() -> None:
    api = FakeApi()
    run = api.put(make_run())
    stranger = make_child("ConfigMap", "c0", run, data={"theirs": "yes"})
    stranger["metadata"]["ownerReferences"][0]["uid"] = "another"
    api.put(stranger)

    with pytest.raises(WriteRefused) as refused:
        carried_out(api, run, Decision((Create(_children(run, 1)[0]),), STATUS))

    assert refused.value.refusal.reason == "NameConflict"
    assert [method for method, _ in api.writes()] == ["POST"]
    assert api.objects["/api/v1/namespaces/team/configmaps/c0"]["data"] == {"theirs": "yes"}


def test_a_model_is_ours_when_it_is_of_the_same_run() -> None:
    api = FakeApi()
    run = api.put(make_run())
    model = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": "m", "namespace": "team", "labels": {"penstock.dev/run-uid": "u"}},
    }
    api.put(model)
    of_another = model | {"metadata": model["metadata"] | {"labels": {"penstock.dev/run-uid": "v"}}}  # type: ignore[operator]

    carried_out(api, run, Decision((Create(model),)))
    with pytest.raises(WriteRefused):
        carried_out(api, run, Decision((Create(of_another),)))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(422, "Invalid", "spec.x: Required value"), "Invalid"),
        (status(400, "BadRequest", "strict decoding error: unknown field"), "Invalid"),
        (status(403, "Forbidden", 'pods "a" is forbidden: exceeded quota: small'), "QuotaExceeded"),
        (status(403, "Forbidden", "ValidatingAdmissionPolicy denied request"), "Forbidden"),
    ],
)
def test_a_refusal_has_its_reason_and_the_servers_sentence(answer: Answer, reason: str) -> None:
    api = FakeApi()
    run = api.put(make_run())
    api.fault = lambda request: answer if request.method == "POST" else None

    with pytest.raises(WriteRefused) as refused:
        carried_out(api, run, Decision((Create(make_child("Job", "j", run)),)))

    assert refused.value.refusal.reason == reason
    assert (refused.value.refusal.kind, refused.value.refusal.name) == ("Job", "j")
    assert refused.value.refusal.message


def test_what_is_as_we_left_it_is_not_applied_again_and_what_somebody_changed_is() -> None:
    api = FakeApi()
    run = api.put(make_run())
    wanted = make_child("ConfigMap", "c0", run, data={"a": "1"})

    async def all_of_it() -> list[int]:
        shell = Shell(api)
        counts = []
        for _ in range(2):
            await shell.applier.carry_out(run, Decision((Apply(wanted),)))
            counts.append(len(api.writes()))
        changed = api.put(api.objects["/api/v1/namespaces/team/configmaps/c0"] | {"data": {"a": "2"}})
        shell.view.on_update(changed)
        await shell.applier.carry_out(run, Decision((Apply(wanted),)))
        return [*counts, len(api.writes())]

    assert virtual_time.run(all_of_it()) == [1, 1, 2]
    assert api.objects["/api/v1/namespaces/team/configmaps/c0"]["data"] == {"a": "1"}


def _patch(found: Object, **more: Any) -> Patch:
    metadata = found["metadata"]
    content = {"spec": {"suspend": True}}
    return Patch("batch/v1", "Job", "team", metadata["name"], more.pop("uid", metadata["uid"]), content, **more)


def test_a_patch_changes_what_it_names_of_exactly_that_object() -> None:
    api = FakeApi()
    run = api.put(make_run())
    job = api.put(make_child("Job", "j", run, spec={"suspend": False, "parallelism": 2}))

    assert carried_out(api, run, Decision((_patch(job),)), Decision((_patch(job, uid="old"),))) == [True, False]
    assert api.objects["/apis/batch/v1/namespaces/team/jobs/j"]["spec"] == {"suspend": True, "parallelism": 2}


def test_a_patch_of_which_the_server_keeps_nothing_is_not_written_again_at_once() -> None:
    api = FakeApi()
    run = api.put(make_run())
    there = Answer(200, {}, json.dumps(run).encode())
    api.fault = lambda request: there if request.method == "PATCH" else None

    assert carried_out(api, run, Decision((Patch.of(run, {"metadata": {"annotations": {"a": "b"}}}),))) == [False]


def test_a_patch_of_an_older_version_is_refused_and_of_what_is_gone_is_success() -> None:
    api = FakeApi()
    run = api.put(make_run())
    job = api.put(make_child("Job", "j", run, spec={}))

    with pytest.raises(Conflict):
        carried_out(api, run, Decision((_patch(job, resource_version="0"),)))
    api.remove(job)
    assert carried_out(api, run, Decision((_patch(job),))) == [False]


def test_only_the_very_object_is_deleted() -> None:
    api = FakeApi()
    run = api.put(make_run())
    job = api.put(make_child("Job", "j", run))

    carried_out(api, run, Decision((Delete("batch/v1", "Job", "team", "j", "another"),)))
    assert "/apis/batch/v1/namespaces/team/jobs/j" in api.objects
    carried_out(api, run, Decision((Delete("batch/v1", "Job", "team", "j", job["metadata"]["uid"]),)))
    assert "/apis/batch/v1/namespaces/team/jobs/j" not in api.objects


def test_an_event_that_cannot_be_written_holds_nothing_up() -> None:
    api = FakeApi()
    run = api.put(make_run())
    api.fault = lambda request: status(403, "Forbidden") if "events" in request.path else None

    assert carried_out(api, run, Decision(status=STATUS, events=(TOLD,))) == [True]


def test_an_event_is_the_same_event_for_the_same_change() -> None:
    api = FakeApi()
    run = api.put(make_run())

    carried_out(api, run, Decision(events=(TOLD, TOLD)))

    [told] = [each for each in api.objects.values() if each["kind"] == "Event"]
    assert told["regarding"]["uid"] == run["metadata"]["uid"]
    assert told["note"] == "It runs."


def test_a_refused_write_is_decided_on_again_and_its_writes_wait() -> None:
    api = FakeApi()
    run = api.put(make_run())
    api.fault = lambda request: status(403, "Forbidden", "exceeded quota") if request.method == "POST" else None

    def decide(seen: ShellObservation, now: datetime) -> Decision:
        said = seen.refused.reason if seen.refused else "Running"
        job = make_child("Job", "j", seen.run)
        return Decision((Create(job),), PipelineRunStatus(execution_name=said), requeue_after=30)

    async def all_of_it() -> float | None:
        shell = Shell(api, decide)
        shell.view.on_update(run)
        return await shell.reconciler.reconcile(Key("PipelineRun", "team", "churn-1"))

    assert virtual_time.run(all_of_it()) == 30
    assert [method for method, _ in api.writes()] == ["POST", "PATCH"]
    [seen] = api.objects.values()
    assert seen["status"] == {"executionName": "QuotaExceeded"}
