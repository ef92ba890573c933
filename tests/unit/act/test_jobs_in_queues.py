"""What Kueue says of the Jobs that it holds back is heard of, and nobody is asked after."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from penstock.act.identities import Identities
from penstock.act.kueue import ABSENT, JOB_UID, follow_workloads
from penstock.act.observe import RunObserver
from penstock.decide.settings import Settings
from penstock.kubernetes.connection import Answer, Request
from penstock.kubernetes.kinds import BY_NAME, Key, Object
from unit.act import virtual_time
from unit.act.fake_api import FakeApi, status
from unit.act.shell_parts import NOW, Shell, make_child, make_run

NO_QUOTA, PREEMPTED = "insufficient quota for cpu", "Preempted to accommodate a higher priority Workload"


def workload(number: int = 1, message: str | None = NO_QUOTA) -> Object:
    """Return the Workload of the Job of that number; without a message it has its quota."""
    owner = {"kind": "Job", "name": f"job-{number}", "uid": f"j{number}", "controller": True}
    metadata = {
        "name": f"w{number}",
        "namespace": "team",
        "labels": {JOB_UID: f"j{number}"},
        "ownerReferences": [owner],
    }
    reserved = {"type": "QuotaReserved", "status": "False" if message else "True", "message": message or "Quota"}
    return {"metadata": metadata | {"resourceVersion": "8"}, "status": {"conditions": [reserved]}}


class Kueue:
    """A connection to an API server that has these Workloads, and whose watch then tells of these events."""

    def __init__(self, *there: Object, events: tuple[Object, ...] = (), serves: str = "v1beta2") -> None:
        self.there, self.events, self.serves = there, deque(events), serves
        self.refusal: Answer | None = None
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.refusal is not None:
            return self.refusal
        if f"/{self.serves}/" not in request.path:
            return status(404, "NotFound")
        asked_for = parse_qs(urlsplit(request.path).query)["labelSelector"]
        found = self.there if asked_for == [JOB_UID] else ()
        return Answer(200, {}, json.dumps({"metadata": {"resourceVersion": "7"}, "items": found}).encode())

    async def lines(self, request: Request) -> AsyncIterator[bytes]:
        self.requests.append(request)
        while self.events:
            yield json.dumps(self.events.popleft()).encode()
        await asyncio.sleep(10**6)


class Laboratory:
    """A shell, and runs each of which has a Job in a queue."""

    def __init__(self, runs: int = 1) -> None:
        self.api = FakeApi()
        for kind, name in (("CustomResourceDefinition", "pipelineruns.penstock.dev"), ("Namespace", "team")):
            self.api.put({"apiVersion": BY_NAME[kind].api_version, "kind": kind, "metadata": {"name": name}})
        self.shell = Shell(self.api)
        self._observe = RunObserver(
            self.shell.view, self.shell.client, Identities(self.shell.client), Settings(), lambda: NOW
        )
        self.runs = [self._make(number) for number in range(1, runs + 1)]

    def _make(self, number: int) -> Object:
        run = make_run(f"churn-{number}")
        run["metadata"]["uid"] = f"u{number}"
        run = self.api.put(run)
        job = make_child("Job", f"job-{number}", run, spec={"suspend": True}, status={})
        job["metadata"] |= {"uid": f"j{number}", "creationTimestamp": "2026-11-20T12:00:00Z"}
        job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "team"
        for each in (run, self.api.put(job)):
            self.shell.view.on_update(each)
        return run

    async def said_of(self, number: int = 1) -> list[str]:
        """Return what a look at that run hears of its Job; it asks for no other look."""
        found = await self._observe(self.runs[number - 1])
        assert found.requeue_after is None
        return [each["message"] for each in found.observation.events]

    def follow(self, kueue: Kueue) -> "asyncio.Task[None]":
        shell = self.shell
        return asyncio.create_task(follow_workloads(shell.view.workloads, _client(kueue), kueue, ()))


def _client(kueue: Kueue) -> Any:
    return Shell(kueue).client  # type: ignore[arg-type]


def heard(kueue: Kueue, seconds: float = 1.0, runs: int = 1) -> list[str]:
    """Return what is said of the first Job, so many seconds after it was first looked at."""

    async def listen() -> list[str]:
        laboratory = Laboratory(runs)
        task = laboratory.follow(kueue)
        await laboratory.said_of()
        await asyncio.sleep(seconds)
        said = await laboratory.said_of()
        task.cancel()
        return said

    return virtual_time.run(listen())


def told(kind: str, found: Object) -> Object:
    return {"type": kind, "object": found}


def test_a_job_in_a_queue_waits_in_the_words_of_kueue() -> None:
    assert heard(Kueue(workload())) == [NO_QUOTA]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([told("ADDED", workload())], [NO_QUOTA]),
        ([told("ADDED", workload()), told("MODIFIED", workload(message=PREEMPTED))], [PREEMPTED]),
        ([told("ADDED", workload()), told("MODIFIED", workload(message=None))], []),
        ([told("ADDED", workload()), told("DELETED", workload())], []),
    ],
)
def test_what_kueue_says_is_heard_of_as_it_changes(events: list[Object], said: list[str]) -> None:
    assert heard(Kueue(events=tuple(events))) == said


def test_a_run_is_looked_at_a_while_after_kueue_says_something_else_of_its_job() -> None:
    async def listen() -> list[Key]:
        laboratory = Laboratory()
        queue = laboratory.shell.queue
        await asyncio.sleep(10)
        while len(queue):
            queue.done(await queue.take())
        laboratory.shell.view.workloads.put(workload())
        laboratory.shell.view.workloads.put(workload())  # once more the same
        await asyncio.sleep(10)
        return [await queue.take() for _ in range(len(queue))]

    assert virtual_time.run(listen()) == [Key("PipelineRun", "team", "churn-1")]


def test_two_thousand_jobs_in_queues_cost_no_request_each() -> None:
    kueue = Kueue(*map(workload, range(1, 2001)))

    async def look_at_all() -> tuple[set[str], int, int]:
        laboratory = Laboratory(2000)
        task = laboratory.follow(kueue)
        await laboratory.said_of()
        await asyncio.sleep(1)
        before = len(laboratory.api.requests)
        said = {each for number in range(1, 2001) for each in await laboratory.said_of(number)}
        task.cancel()
        return said, len(laboratory.api.requests) - before, len(kueue.requests)

    said, asked, of_kueue = virtual_time.run(look_at_all())
    assert said == {NO_QUOTA}
    assert asked == 0
    assert of_kueue == 3  # whether it is there, a list, a watch


def test_an_older_kueue_is_heard_in_its_own_version() -> None:
    assert heard(Kueue(workload(), serves="v1beta1")) == [NO_QUOTA]


def test_nothing_is_asked_where_no_job_is_in_a_queue() -> None:
    kueue = Kueue(workload())

    async def listen() -> None:
        laboratory = Laboratory(0)
        task = laboratory.follow(kueue)
        await asyncio.sleep(10**4)
        task.cancel()

    virtual_time.run(listen())
    assert kueue.requests == []


@pytest.mark.parametrize("refusal", [status(404, "NotFound"), status(403, "Forbidden")])
def test_without_kueue_or_the_right_to_ask_it_nothing_is_said_and_nothing_fails(refusal: Answer) -> None:
    kueue = Kueue(workload())
    kueue.refusal = refusal

    assert heard(kueue, seconds=10 * ABSENT) == []
    assert len(kueue.requests) <= 4


def test_a_kueue_that_is_installed_later_is_heard() -> None:
    kueue = Kueue(workload())
    kueue.refusal = status(404, "NotFound")

    async def listen() -> list[list[str]]:
        laboratory = Laboratory()
        task = laboratory.follow(kueue)
        said = []
        for _ in range(3):
            said.append(await laboratory.said_of())
            await asyncio.sleep(ABSENT + 1)
            kueue.refusal = None
        said.append(await laboratory.said_of())
        task.cancel()
        return said

    assert virtual_time.run(listen())[-1] == [NO_QUOTA]
