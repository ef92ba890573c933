"""What a run's decision is given."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from penstock.act.identities import Identities
from penstock.act.observe import EVENTS_FRESH, LONGEST_FRESH, PATIENCE, RunObserver
from penstock.act.pod_logs import ATTEMPTS, PodLogs
from penstock.act.reconciler import Observed
from penstock.decide.observed.results import PendingLog
from penstock.decide.settings import Settings
from penstock.kubernetes.connection import Answer, Request, encode
from penstock.kubernetes.errors import Transient
from penstock.kubernetes.kinds import Object
from penstock_jobs.contract.result import Failure
from penstock_jobs.contract.termination_message import TerminationMessage, log_lines, termination_message
from unit.act import virtual_time
from unit.act.fake_api import FakeApi, status
from unit.act.shell_parts import NOW, Shell, make_child, make_run

MADE = "2026-11-21T12:00:00Z"  # the same moment as NOW


def observed(api: FakeApi, *objects: Object, after: float = 0.0, looks: int = 1) -> Observed:
    """Observe the run `churn-1` so many seconds after all was made."""

    async def all_of_it() -> Observed:
        shell = Shell(api)
        observer = RunObserver(
            shell.view, shell.client, Identities(shell.client), Settings(), lambda: NOW + timedelta(seconds=after)
        )
        for each in objects:
            shell.view.on_update(api.put(each))
        [run] = [each for each in api.objects.values() if each["metadata"]["name"] == "churn-1"]
        for _ in range(looks):
            found = await observer(run)
        return found

    return virtual_time.run(all_of_it())


def _run(name: str = "churn-1", uid: str = "u1", **status: Any) -> Object:
    run = make_run(name, **status)
    run["metadata"]["uid"] = uid
    return run


def _named(objects: Any) -> list[str]:
    return [each["metadata"]["name"] for each in objects]


def test_children_are_those_of_the_very_run() -> None:
    own, other = _run(), _run("churn-2", "u2")
    specification, results = (
        make_child("ConfigMap", "spec", own),
        make_child("ConfigMap", "results", own, data={"a": "1"}),
    )
    specification["metadata"]["labels"]["penstock.dev/step"] = "dataset"

    found = observed(
        FakeApi(),
        own,
        other,
        specification,
        results,
        make_child("ControllerRevision", "revision", own, data={}),
        make_child("Job", "mine", own, spec={"suspend": True}, status={}),
        make_child("Job", "theirs", other, spec={}, status={}),
        make_child("Pod", "pod", own, spec={}, status={"phase": "Running"}),
    ).observation

    assert _named(found.jobs) == ["mine"]
    assert _named(found.pods) == ["pod"]
    assert found.results["data"] == {"a": "1"}
    assert _named(found.specifications) == ["spec"]
    assert found.revision["metadata"]["name"] == "revision"
    assert _named(found.runs) == ["churn-2"]


def test_the_jobs_that_tell_somebody_of_a_run_are_no_part_of_it() -> None:
    own = _run()
    telling = [make_child("Job", "job", own, spec={}, status={}), make_child("Pod", "pod", own, spec={}, status={})]
    for each in telling:
        each["metadata"]["labels"] = {"penstock.dev/pipeline": "churn", "penstock.dev/notification": "u1"}

    found = observed(FakeApi(), own, *telling).observation

    assert (found.jobs, found.pods) == ((), ())
    assert (_named(found.senders.jobs), _named(found.senders.pods)) == (["job"], ["pod"])


def test_a_pipeline_that_is_being_deleted_is_not_there() -> None:
    metadata = {"name": "churn", "namespace": "team", "deletionTimestamp": MADE}
    pipeline = {"apiVersion": "penstock.dev/v1alpha1", "kind": "Pipeline", "metadata": metadata, "spec": {}}

    assert observed(FakeApi(), _run(), pipeline).observation.pipeline is None


def _job(**spec: Any) -> Object:
    job = make_child("Job", "j", _run(), spec=spec, status={})
    job["metadata"] |= {"creationTimestamp": MADE, "uid": "j1"}
    return job


def _asked_for_events(api: FakeApi) -> int:
    return sum("/events" in request.path for request in api.requests)


def test_a_job_that_has_just_been_made_is_given_time() -> None:
    api = FakeApi()
    found = observed(api, _run(), _job(), after=1)

    assert _asked_for_events(api) == 0
    assert found.requeue_after == PATIENCE - 1


def test_a_job_that_has_no_pod_for_a_while_is_asked_after_and_not_too_often() -> None:
    api = FakeApi()
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "team"},
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    api.fault = lambda request: _list_of(event) if "/events" in request.path else None
    found = observed(api, _run(), _job(), after=60, looks=3)

    assert [each["message"] for each in found.observation.events] == ["exceeded quota"]
    assert _asked_for_events(api) == 1
    assert found.requeue_after == EVENTS_FRESH


def _list_of(*items: Object) -> Answer:
    return Answer(200, {}, encode({"kind": "EventList", "metadata": {}, "items": items}))


ENDED = {"conditions": [{"type": "Failed", "status": "True"}]}


@pytest.mark.parametrize("job", [_job(suspend=True), _job() | {"status": ENDED}])
def test_a_job_that_is_suspended_or_has_ended_is_not_asked_after(job: Object) -> None:
    api = FakeApi()
    found = observed(api, _run(), job, after=60)

    assert _asked_for_events(api) == 0
    assert found.requeue_after is None


@pytest.mark.parametrize(("age", "again"), [(60, EVENTS_FRESH), (600, 60), (86400, LONGEST_FRESH)])
def test_what_has_waited_for_long_is_asked_after_less_often(age: float, again: float) -> None:
    assert observed(FakeApi(), _run(), _job(), after=age).requeue_after == again


WHOLE = TerminationMessage(result=Failure(reason="Failed", message="é" * 4000))
WANTED = PendingLog("p1", "team", "p", termination_message(WHOLE).digest or "", 1)


def _read(fault: Callable[[Request], Answer | None], times: int = 1) -> tuple[list[Any], int]:
    """Return what reading the log so many times gave, an error included, and how many requests that took."""
    api = FakeApi(fault)

    async def all_of_it() -> list[Any]:
        logs = PodLogs(Shell(api).client)
        found: list[Any] = []
        for _ in range(times):
            try:
                found.append((await logs.whole([WANTED]))["p1"])
            except Transient:
                found.append(Transient)
            await asyncio.sleep(1)
        return found

    return virtual_time.run(all_of_it()), len(api.requests)


def test_the_whole_of_a_message_is_read_from_the_log_and_only_once() -> None:
    log = "\n".join(["chatter", *log_lines(WHOLE), "more chatter"]).encode()

    found, requests = _read(lambda request: Answer(200, {}, log), times=3)

    assert [msgspec.json.decode(each, type=TerminationMessage) for each in found] == [WHOLE] * 3
    assert requests == 1


def test_a_log_that_a_node_does_not_give_is_asked_for_again_and_given_up_in_the_end() -> None:
    found, _ = _read(lambda request: status(500, "InternalError"), times=ATTEMPTS)

    assert found == [Transient] * (ATTEMPTS - 1) + [None]


@pytest.mark.parametrize("answer", [status(404, "NotFound"), status(400, "BadRequest"), Answer(200, {}, b"nothing")])
def test_a_log_that_is_gone_or_holds_nothing_is_none(answer: Answer) -> None:
    assert _read(lambda request: answer) == ([None], 1)
